/// The reasons why a node is drained. It is drained while there is at least one.
public struct DrainReasons: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// An operator, with `meshctl drain`.
    public static let `operator` = DrainReasons(rawValue: 1)
    /// The cluster: an annotation or the coming deletion of the Node, or a graceful shutdown of the machine.
    public static let cluster = DrainReasons(rawValue: 2)
    /// The agent stops soon.
    public static let stop = DrainReasons(rawValue: 4)

    /// The names for the control API.
    public var names: [String] {
        let all: KeyValuePairs<String, DrainReasons> = ["operator": .operator, "cluster": .cluster, "stop": .stop]
        return all.filter { contains($0.value) }.map(\.key)
    }
}
