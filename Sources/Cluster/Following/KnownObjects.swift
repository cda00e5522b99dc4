internal import Addressing
internal import FoundationEssentials
internal import Glibc
internal import Kubernetes
internal import Linux

/// The known objects of the cluster, as they are saved: one file per kind.
struct KnownObjects: Sendable {
    /// Each kind is `nil` if its file is missing or damaged, until a list of it is received.
    var services: [ObjectKey: Service]?
    var slices: [ObjectKey: EndpointSlice]?
    /// This node's Node object only.
    var nodes: [ObjectKey: Node]?
    /// The addresses of all Nodes.
    var addresses: [ObjectKey: NodeAddresses]?
    /// The ServiceCIDRs.
    var ranges: [ObjectKey: ServiceCIDR]?
    /// Whether there is a file with the addresses of Nodes, but it is damaged. There may be none, because the API may deny
    /// access to them.
    private var hasDamagedAddresses = false
    /// The addresses by which the API server was reached.
    var servers: Set<IPv6Address> = []

    /// The label of the API server's addresses, which are saved like a kind of objects.
    static let serverLabel = "servers"
    /// The maximum size of the file with the API server's addresses, in octets: room for hundreds of them.
    private static let serverLimit = 1 << 14

    init() {}

    /// Reads the files of a directory. A damaged file counts as missing, except in ``isComplete``.
    init(from directory: String) {
        func read<Object: Resource>(_ type: Object.Type) -> [ObjectKey: Object]? {
            ObjectFile.read(type, from: "\(directory)/\(Object.label).json").map { objects in
                Dictionary(objects.map { ($0.key, $0) }) { $1 }
            }
        }
        services = read(Service.self)
        slices = read(EndpointSlice.self)
        nodes = read(Node.self)
        addresses = read(NodeAddresses.self)
        ranges = read(ServiceCIDR.self)
        hasDamagedAddresses = addresses == nil && access("\(directory)/\(NodeAddresses.label).json", F_OK) == 0
        let octets = try? SmallFile.read(Self.serverFile(in: directory), upTo: Self.serverLimit)
        let texts = octets.flatMap { try? JSONDecoder().decode([String].self, from: Data($0)) } ?? []
        servers = Set(texts.compactMap { IPv6Address($0) })
    }

    private static func serverFile(in directory: String) -> String { "\(directory)/\(serverLabel).json" }

    /// Whether services and EndpointSlices are known, so that announcements can be determined. Not if addresses of Nodes were
    /// saved and cannot be read: a service might get one of them.
    var isComplete: Bool { services != nil && slices != nil && !hasDamagedAddresses }

    /// Writes the files of the kinds with these labels.
    func write(_ kinds: Set<String>, to directory: String) throws(SystemError) {
        func write<Object: Resource>(_ objects: [ObjectKey: Object]?) throws(SystemError) {
            guard let objects, kinds.contains(Object.label) else { return }
            try ObjectFile.write(Array(objects.values), to: "\(directory)/\(Object.label).json")
        }
        try makeDirectory(directory)
        // The addresses of Nodes first, so that no services are saved without them.
        try write(addresses)
        try write(services)
        try write(slices)
        try write(nodes)
        try write(ranges)
        if kinds.contains(Self.serverLabel) {
            let texts = servers.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            try SmallFile.write("[\(texts)]\n", to: Self.serverFile(in: directory))
        }
    }
}

/// Creates a directory if it is missing. Its parent must exist.
private func makeDirectory(_ path: String) throws(SystemError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .last("make the directory \(path)") }
}
