/// Why a node is drained: it is as long as there is any reason.
public struct DrainReasons: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Makes a set.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Somebody said `meshctl drain`, and not yet `undrain`.
    public static let `operator` = DrainReasons(rawValue: 1)
    /// The cluster says so of the Node.
    public static let cluster = DrainReasons(rawValue: 2)
    /// The agent stops.
    public static let stop = DrainReasons(rawValue: 4)

    /// What they are called in answers.
    public var names: [String] {
        let all: KeyValuePairs<String, DrainReasons> = ["operator": .operator, "cluster": .cluster, "stop": .stop]
        return all.filter { contains($0.value) }.map(\.key)
    }
}
