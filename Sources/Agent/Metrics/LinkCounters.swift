internal import Linux

/// The kernel's counters of one interface.
struct LinkCounters: Hashable, Sendable {
    /// One direction.
    struct Traffic: Hashable, Sendable {
        var bytes: UInt64
        var packets: UInt64
        /// Packets with errors.
        var errors: UInt64
        /// Packets that were dropped.
        var drops: UInt64
    }

    var received: Traffic
    var sent: Traffic

    /// The counters of all interfaces of the calling thread's network namespace, by name; none if they cannot be read. They
    /// come from `/proc`, so that the routing thread need not request them.
    static func read() -> [String: LinkCounters] {
        guard let octets = try? SmallFile.read("/proc/thread-self/net/dev", upTo: 1 << 20) else { return [:] }
        return parse(String(decoding: octets, as: UTF8.self))
    }

    /// Parses lines of `name: bytes packets errors drops …`, eight numbers received and eight sent. Names may have colons.
    static func parse(_ text: String) -> [String: LinkCounters] {
        var links: [String: LinkCounters] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.lastIndex(of: ":") else { continue }
            let numbers = line[line.index(after: colon)...].split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count >= 12 else { continue }
            let name = String(line[..<colon].drop { $0 == " " })
            links[name] = LinkCounters(received: Traffic(numbers[0..<4]), sent: Traffic(numbers[8..<12]))
        }
        return links
    }
}

extension LinkCounters.Traffic {
    fileprivate init(_ numbers: ArraySlice<UInt64>) {
        let first = numbers.startIndex
        self.init(
            bytes: numbers[first], packets: numbers[first + 1], errors: numbers[first + 2], drops: numbers[first + 3])
    }
}
