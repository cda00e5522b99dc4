/// The answer to `/v1/snapshot`: what a node knows of the mesh, for questions that are answered elsewhere. Also the contents of a
/// snapshot file.
public struct SnapshotDocument: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Snapshot`.
    public var kind: String
    /// The name and the router ID of the node.
    public var node: String
    public var routerID: String
    /// The time of the answer, RFC 3339 in UTC.
    public var time: String
    /// The ports of the node.
    public var ports: [Port]
    /// All LSAs of its link-state database but those of link-local scope, each as on the wire (RFC 5340 §A.4), in hexadecimal
    /// digits.
    public var lsas: [String]

    public struct Port: Codable, Hashable, Sendable {
        public var name: String
        /// The kernel's index, which is the OSPF interface ID.
        public var interfaceID: Int

        public init(name: String, interfaceID: Int) {
            self.name = name
            self.interfaceID = interfaceID
        }
    }

    public init(node: String, routerID: String, time: String, ports: [Port], lsas: [[UInt8]]) {
        apiVersion = API.version
        kind = "Snapshot"
        self.node = node
        self.routerID = routerID
        self.time = time
        self.ports = ports
        self.lsas = lsas.map(Self.hexadecimal)
    }

    /// The octets of the LSAs; `nil` for what is no sequence of octets.
    public var octets: [[UInt8]?] { lsas.map(Self.octets) }

    private static func hexadecimal(_ octets: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func octets(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[place], let low = digits[place + 1] else { return nil }
            result.append(UInt8(high << 4 | low))
        }
        return result
    }
}
