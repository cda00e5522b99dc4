/// One thing that happens to the router under test. An input is a list of them.
public enum Step: Hashable, Sendable {
    /// Time passes, in units of 20 ms.
    case wait(UInt8)
    /// A packet comes in, from one of two neighbors on one of the ports; its checksums are mended before.
    case packet(port: UInt8, sender: UInt8, destination: UInt8, octets: [UInt8])
    /// One of the things other than packets, by number.
    case event(UInt8)

    /// Reads a list from an input, as far as it goes.
    public static func list(from input: [UInt8]) -> [Step] {
        var steps: [Step] = []
        var rest = input[...]
        while let kind = rest.popFirst(), let parameter = rest.popFirst() {
            switch kind & 3 {
            case 0: steps.append(.wait(parameter))
            case 1: steps.append(.event(parameter))
            default:
                guard let high = rest.popFirst(), let low = rest.popFirst() else { return steps }
                let octets = rest.prefix(Int(high) << 8 | Int(low))
                rest = rest.dropFirst(octets.count)
                steps.append(
                    .packet(
                        port: parameter & 3, sender: parameter >> 2 & 1, destination: parameter >> 3 & 3,
                        octets: Array(octets)))
            }
        }
        return steps
    }

    /// The input that is read as this.
    public var octets: [UInt8] {
        switch self {
        case .wait(let units): [0, units]
        case .event(let number): [1, number]
        case .packet(let port, let sender, let destination, let octets):
            [2, port | sender << 2 | destination << 3, UInt8(octets.count >> 8), UInt8(octets.count & 255)] + octets
        }
    }
}
