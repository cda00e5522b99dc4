internal import Linux

/// What the kernel counts of an interface.
struct LinkCounters: Hashable, Sendable {
    /// One direction.
    struct Traffic: Hashable, Sendable {
        var bytes: UInt64
        var packets: UInt64
        /// Packets that were damaged.
        var errors: UInt64
        /// Packets that were whole and given up all the same.
        var drops: UInt64
    }

    var received: Traffic
    var sent: Traffic

    /// All interfaces of the calling thread's network namespace, by name; none if the kernel does not say. One read of a
    /// file the kernel makes up as it goes, so whoever wants to know asks by himself and the routing thread is not involved.
    static func read() -> [String: LinkCounters] {
        guard let octets = try? SmallFile.read("/proc/thread-self/net/dev", upTo: 1 << 20) else { return [:] }
        return parse(String(decoding: octets, as: UTF8.self))
    }

    /// Reads lines of `name: bytes packets errors drops …`, eight numbers received and eight sent. Names may have colons.
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
