internal import Glibc
internal import Linux

/// This machine.
enum Host {
    /// `$NODE_NAME`, or the host's name.
    static var name: String {
        if let name = getenv("NODE_NAME"), name.pointee != 0 { return String(cString: name) }
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The wall clock, as the time since 1970.
    static var wallClock: Duration {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Identifies the machine, whatever disk is in it: a hash of the UUID of its firmware (SMBIOS, 32 hexadecimal digits).
    /// `nil` if there is none, as on many ARM boards, or it cannot be read.
    static var machine: UInt64? {
        guard let octets = try? SmallFile.read("/sys/class/dmi/id/product_uuid", upTo: 64), octets.count >= 32 else {
            return nil
        }
        // FNV-1a with 64 bits: enough to distinguish machines.
        return octets.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
