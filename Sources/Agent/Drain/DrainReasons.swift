/// Why a node is drained: it is as long as there is any reason.
struct DrainReasons: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    /// Somebody said `meshctl drain`, and not yet `undrain`.
    static let `operator` = DrainReasons(rawValue: 1)
    /// The cluster says so of the Node.
    static let cluster = DrainReasons(rawValue: 2)
    /// The agent stops.
    static let stop = DrainReasons(rawValue: 4)

    /// What they are called in answers.
    var names: [String] {
        let all: KeyValuePairs<String, DrainReasons> = ["operator": .operator, "cluster": .cluster, "stop": .stop]
        return all.filter { contains($0.value) }.map(\.key)
    }
}
