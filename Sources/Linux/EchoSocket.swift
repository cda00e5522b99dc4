public import Addressing
internal import CLinux
internal import Glibc
public import Liveness

/// The ICMPv6 socket that sends echo requests to neighbors and receives the answers of their kernels. Nothing in an answer is
/// trusted: it must come from the link-local address and on the interface of the request, and repeat a random number. To be used
/// on one thread.
public final class EchoSocket {
    private let socket: FileDescriptor
    private let identifier: UInt16
    /// Repeated in each answer, so that an answer to another program is not taken for ours.
    private let cookie: UInt64
    private var echoes = [clinux_echo](repeating: clinux_echo(), count: EchoSocket.batch)
    /// When the kernel sent requests that are not answered yet: nanoseconds of CLOCK_REALTIME.
    private var stamps: [Sent: Int64] = [:]
    /// Answers that are not ours, or not acceptable.
    public private(set) var refused: UInt64 = 0

    /// A request, as far as it is repeated in its answer.
    private struct Sent: Hashable {
        var interface: UInt32
        /// The sequence number, and in the high half the size of a padded request.
        var sequence: UInt32
        /// The interface identifier of the neighbor's address.
        var low: UInt64
    }

    private static let batch = 32
    /// Room for the answers of all neighbors and the times of as many requests, each with the kernel's overhead of up to 4 KiB.
    private static let bufferOctets: CInt = 4 << 20
    /// The maximum number of batches read at a time; whoever sends more answers than that has no use for them.
    private static let batchesAtOnce = 32
    /// The maximum number of stamps that are kept: those of requests without an answer are dropped then.
    private static let mostStamps = 4096
    /// A longer round trip is none: the clock was set.
    private static let longestRoundTrip: Int64 = 10_000_000_000

    /// Opens the socket in the calling thread's network namespace. The numbers are random.
    public init(identifier: UInt16, cookie: UInt64) throws(SystemError) {
        socket = try FileDescriptor(clinux_open_echo_socket(identifier), "open a raw socket for ICMPv6")
        // Answers, and the times of requests, wait until the next requests are sent.
        _ = clinux_set_receive_buffer(socket.rawValue, Self.bufferOctets)
        self.identifier = identifier
        self.cookie = cookie
    }

    /// Sends a request. Returns `false` if that was not possible.
    public func send(_ request: EchoRequest) -> Bool {
        // Type 128 is an echo request; the kernel fills in the checksum (RFC 4443 §4.1).
        var octets: [UInt8] = [128, 0, 0, 0]
        let length = max(Self.smallLength, request.size - Self.headerLength)
        octets.reserveCapacity(length)
        octets.append(bigEndian: identifier)
        octets.append(bigEndian: request.sequence)
        if request.size > 0 {
            // A long answer is not read to its end.
            if length >= Self.smallLength + Self.dataLength { append(request, to: &octets) }
            octets.append(contentsOf: repeatElement(0, count: length - Self.dataLength - octets.count))
        }
        append(request, to: &octets)
        return socket.send(
            octets, on: request.target.interface, from: request.source, to: request.target.address) == 0
    }

    /// Appends what an answer repeats.
    private func append(_ request: EchoRequest, to octets: inout [UInt8]) {
        octets.append(bigEndian: cookie)
        octets.append(bigEndian: request.target.interface)
        octets.append(bigEndian: UInt32(truncatingIfNeeded: request.size) << 16 | UInt32(request.sequence))
        octets.append(bigEndian: request.target.address.low)
        octets.append(bigEndian: UInt64(bitPattern: KernelStamp.now))
    }

    /// The length of ``append(_:to:)``, of a small request with its own header, and of the IPv6 header.
    private static let dataLength = 32
    private static let smallLength = 40
    private static let headerLength = 40

    /// Reads waiting answers, and passes each to the handler with the size of a padded request (0 for others) and the time from the request to the answer, as the kernel
    /// measured it; `nil` if it is not known.
    public func receive(_ handler: (EchoTarget.Key, _ sequence: UInt16, _ size: Int, _ roundTrip: Duration?) -> Void) {
        readStamps()
        for _ in 0..<Self.batchesAtOnce {
            let count = clinux_receive_echoes(socket.rawValue, &echoes, UInt32(echoes.count), 0)
            for index in 0..<max(0, Int(count)) {
                guard let (sent, moment) = request(in: echoes[index]),
                    sent.interface == echoes[index].interface,
                    case let source = IPv6Address(echoes[index].source), source.isLinkLocal, source.low == sent.low
                else {
                    refused += 1
                    continue
                }
                let start = stamps.removeValue(forKey: sent) ?? moment
                // An answer may claim any moment, and the kernel may have noted none.
                let (roundTrip, overflows) = echoes[index].stamp.subtractingReportingOverflow(start)
                handler(
                    EchoTarget.Key(interface: sent.interface, address: source),
                    UInt16(truncatingIfNeeded: sent.sequence), Int(sent.sequence >> 16),
                    echoes[index].stamp != 0 && !overflows && 0...Self.longestRoundTrip ~= roundTrip
                        ? .nanoseconds(roundTrip) : nil)
            }
            if count < echoes.count { break }
        }
    }

    /// Reads when the kernel sent requests.
    private func readStamps() {
        if stamps.count > Self.mostStamps { stamps.removeAll(keepingCapacity: true) }
        for _ in 0..<Self.batchesAtOnce {
            let count = clinux_receive_echoes(socket.rawValue, &echoes, UInt32(echoes.count), 1)
            for index in 0..<max(0, Int(count)) where echoes[index].stamp != 0 {
                if let (sent, _) = request(in: echoes[index]) { stamps[sent] = echoes[index].stamp }
            }
            if count < echoes.count { break }
        }
    }

    /// The request that a packet repeats, and when this process sent it; `nil` if it is not ours.
    private func request(in echo: clinux_echo) -> (Sent, moment: Int64)? {
        withUnsafeBytes(of: echo.data) { data -> (Sent, moment: Int64)? in
            func word<Word: FixedWidthInteger>(_ offset: Int, _: Word.Type) -> Word {
                Word(bigEndian: data.loadUnaligned(fromByteOffset: offset, as: Word.self))
            }
            guard word(0, UInt64.self) == cookie else { return nil }
            let sent = Sent(
                interface: word(8, UInt32.self), sequence: word(12, UInt32.self), low: word(16, UInt64.self))
            return (sent, word(24, Int64.self))
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
