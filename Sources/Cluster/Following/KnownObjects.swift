internal import Glibc
internal import Kubernetes
internal import Linux

/// What is known of the cluster, as it is kept in files: a file for every kind.
struct KnownObjects: Sendable {
    /// `nil` is a kind of which nothing was ever heard.
    var services: [ObjectKey: Service]?
    var slices: [ObjectKey: EndpointSlice]?
    var nodes: [ObjectKey: Node]?

    init() {}

    /// Reads the files of a directory. One that is damaged is as none.
    init(from directory: String) {
        func read<Object: Resource>(_ type: Object.Type) -> [ObjectKey: Object]? {
            ObjectFile.read(type, from: "\(directory)/\(Object.plural).json").map { objects in
                Dictionary(objects.map { ($0.key, $0) }) { $1 }
            }
        }
        services = read(Service.self)
        slices = read(EndpointSlice.self)
        nodes = read(Node.self)
    }

    /// Whether it is enough to work out what to announce.
    var isComplete: Bool { services != nil && slices != nil }

    /// Writes the files of these kinds, in plural.
    func write(_ kinds: Set<String>, to directory: String) throws(SystemError) {
        func write<Object: Resource>(_ objects: [ObjectKey: Object]?) throws(SystemError) {
            guard let objects, kinds.contains(Object.plural) else { return }
            try ObjectFile.write(Array(objects.values), to: "\(directory)/\(Object.plural).json")
        }
        try makeDirectory(directory)
        try write(services)
        try write(slices)
        try write(nodes)
    }
}

/// Makes a directory, where it is missing. The one above it must be there.
private func makeDirectory(_ path: String) throws(SystemError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .last("make the directory \(path)") }
}
