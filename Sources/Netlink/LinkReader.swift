internal import CLinux
internal import CNetlink
internal import Glibc
public import Linux

/// What the kernel and the driver say of a link at a moment.
public struct LinkReading: Hashable, Sendable {
    /// Packets received.
    public var received: UInt64
    /// Packets that were received damaged: with a wrong checksum or length, or the like.
    public var damaged: UInt64
    /// Those with a wrong checksum, if the driver counts them.
    public var checksumErrors: UInt64
    /// The speed in Mbit/s; `nil` if it is not known.
    public var speed: Int?
    /// Whether no other device lies below, as with a network card. The kernel may tell late that such a one has lost its carrier.
    public var isLowest: Bool
}

/// Reads single links. To be used on one thread, which waits for the kernel.
public final class LinkReader {
    private let socket: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(SystemError) { socket = try NetlinkSocket() }

    /// Reads a link; `nil` if it does not exist.
    public func read(_ index: UInt32) throws(SystemError) -> LinkReading? {
        var reading: LinkReading?
        var name = ""
        let refusal = try socket.get(Int(RTM_GETLINK), Self.request(index), { _ in }) { message in
            var new = LinkReading(received: 0, damaged: 0, checksumErrors: 0, speed: nil, isLowest: true)
            message.forEachAttribute(after: ifinfomsg.self) { attribute in
                switch attribute.type {
                case Int(IFLA_IFNAME): name = attribute.string
                case Int(IFLA_LINK): new.isLowest = attribute.value(UInt32.self) == index
                case Int(IFLA_STATS64): new.setCounters(attribute.payload)
                default: break
                }
            }
            reading = new
        }
        guard refusal == nil, !name.isEmpty else { return nil }
        let speed = clinux_link_speed(name)
        if speed > 0 { reading?.speed = Int(speed) }
        return reading
    }

    /// Asks for a link and ignores the answer: when it is asked, the kernel looks at the carrier and notifies a loss that it would
    /// otherwise notify up to a second later.
    public func look(at index: UInt32) throws(SystemError) {
        // Without counters.
        let skipStatistics: UInt32 = 1 << 3
        _ = try socket.get(
            Int(RTM_GETLINK), Self.request(index), { $0.attribute(Int(IFLA_EXT_MASK), skipStatistics) }
        ) { _ in }
    }

    private static func request(_ index: UInt32) -> ifinfomsg {
        var fixed = ifinfomsg()
        fixed.ifi_index = Int32(bitPattern: index)
        return fixed
    }
}

extension LinkReading {
    /// Reads `struct rtnl_link_stats64`.
    fileprivate mutating func setCounters(_ octets: UnsafeRawBufferPointer) {
        func counter(_ place: Int) -> UInt64 {
            octets.count >= (place + 1) * 8 ? octets.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self) : 0
        }
        received = counter(0)
        let errors = counter(4)
        let (lengths, overruns, checksums, frames, fifo, missed) = (
            counter(10), counter(11), counter(12), counter(13), counter(14), counter(15)
        )
        checksumErrors = checksums
        // Some drivers count what they had no room for as errors, others do not say what an error was.
        let noRoom = overruns &+ fifo &+ missed
        damaged = max(lengths &+ checksums &+ frames, errors > noRoom ? errors - noRoom : 0)
    }
}
