/// A pattern for names: `*` matches any number of octets (also none), `?` one octet, `[abc]` and `[a-z]` one of a set. Nothing
/// negates a set, and no character escapes the next one; `[*]` matches a `*`.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// A literal octet, `anyOctet` for `?`, `oneOf` for a set in brackets, `anyOctets` for `*`.
    private enum Element: Hashable, Sendable {
        case literal(UInt8)
        case anyOctet
        case oneOf([ClosedRange<UInt8>])
        case anyOctets
    }

    /// The pattern as written.
    public let description: String
    private let elements: [Element]

    /// Parses a pattern. `nil` if it is empty, a bracket is empty or not closed, or a range is descending.
    public init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        description = text
        var elements: [Element] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "*"): if elements.last != .anyOctets { elements.append(.anyOctets) }
            case UInt8(ascii: "?"): elements.append(.anyOctet)
            case UInt8(ascii: "["):
                guard let end = rest.firstIndex(of: UInt8(ascii: "]")), let set = Self.ranges(rest[..<end]) else {
                    return nil
                }
                elements.append(.oneOf(set))
                rest = rest[(end + 1)...]
            default: elements.append(.literal(octet))
            }
        }
        self.elements = elements
    }

    private static func ranges(_ text: ArraySlice<UInt8>) -> [ClosedRange<UInt8>]? {
        var result: [ClosedRange<UInt8>] = []
        var rest = text
        while let low = rest.popFirst() {
            if rest.count >= 2, rest.first == UInt8(ascii: "-") {
                let high = rest[rest.startIndex + 1]
                guard low <= high else { return nil }
                result.append(low...high)
                rest = rest.dropFirst(2)
            } else {
                result.append(low...low)
            }
        }
        return result.isEmpty ? nil : result
    }

    /// Whether the pattern matches the whole of `name`. Takes time proportional to the product of the two lengths at most.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var position = 0
        var index = 0
        // If what follows a `*` does not match, the `*` takes one octet more. Here is the last `*`, and the first octet
        // that it does not take.
        var retry: (index: Int, position: Int)?
        while position < name.count {
            if index < elements.count, elements[index] == .anyOctets {
                retry = (index, position)
                index += 1
            } else if index < elements.count, Self.accepts(elements[index], name[position]) {
                index += 1
                position += 1
            } else if let last = retry {
                retry = (last.index, last.position + 1)
                index = last.index + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return elements[index...].allSatisfy { $0 == .anyOctets }
    }

    private static func accepts(_ element: Element, _ octet: UInt8) -> Bool {
        switch element {
        case .literal(let expected): expected == octet
        case .anyOctet: true
        case .oneOf(let ranges): ranges.contains { $0.contains(octet) }
        case .anyOctets: false
        }
    }
}
