internal import CLinux
internal import Linux

/// A classic BPF program for a netlink socket, which decides in the kernel which messages are queued. It sees only the first
/// message of a datagram, which is enough: the kernel sends every notification in a datagram of its own. Jumps go only forward.
struct SocketFilter {
    /// The target of a jump.
    enum Target: Hashable {
        /// The next instruction.
        case next
        /// The label of this name.
        case label(String)
        /// The end: the kernel queues the message.
        case accept
        /// The end: the kernel discards the message.
        case drop
    }

    private struct Instruction {
        /// The operation, in the encoding of `linux/filter.h`: the low three bits are its class (0 load, 1 load X, 4
        /// arithmetic, 5 jump, 6 return, 7 copy between the accumulator and X).
        var code: UInt16
        var operand: UInt32
        var yes = Target.next
        var no = Target.next
    }

    /// Offsets in a notification: the header of 16 octets, then the fixed part of its type.
    enum Offset {
        static let messageType: UInt32 = 4
        static let messageFlags: UInt32 = 6
        static let sender: UInt32 = 12  // nlmsg_pid, see MessageView.port
        static let body: UInt32 = 16
    }

    private var instructions: [Instruction] = []
    private var labels: [String: Int] = [:]

    /// Names the next instruction.
    mutating func label(_ name: String) { labels[name] = instructions.count }

    mutating func loadOctet(at offset: UInt32) { append(0x30, offset) }

    /// Loads two octets in their memory order; compare with ``inMemory(_:)``.
    mutating func load16(at offset: UInt32) { append(0x28, offset) }

    /// Loads four octets in their memory order.
    mutating func load32(at offset: UInt32) { append(0x20, offset) }

    /// Loads a number in the machine's byte order, for comparisons of size. BPF itself reads in network byte order.
    mutating func loadNumber(at offset: UInt32) {
        guard 1.bigEndian != 1 else { return load32(at: offset) }
        loadOctet(at: offset + 3)
        for position in [2, 1, 0] as [UInt32] {
            append(0x64, 8)  // shift left by 8
            append(0x07, 0)  // keep it in X
            loadOctet(at: offset + position)
            append(0x4c, 0)  // or X
        }
    }

    /// Loads four octets of a netlink attribute in their memory order: of the first of this type after the fixed part,
    /// which is `size` octets long. Jumps to `absent` if there is none.
    mutating func loadAttribute(_ type: Int, after size: Int, absent: Target) {
        append(0x00, Offset.body + UInt32(size))  // where to look from
        append(0x01, UInt32(type))  // X: what for
        append(0x20, 0xffff_f000 + 12)  // SKF_AD_OFF + SKF_AD_NLATTR: the kernel searches, 0 if there is none
        jump(ifEqual: 0, to: absent)
        append(0x07, 0)  // X: where it is
        append(0x40, 4)  // load four octets at X + 4: behind its header
    }

    mutating func jump(ifEqual value: UInt32, to yes: Target, else no: Target = .next) { append(0x15, value, yes, no) }
    mutating func jump(ifGreaterThan value: UInt32, to yes: Target, else no: Target = .next) {
        append(0x25, value, yes, no)
    }
    mutating func jump(ifLessThan value: UInt32, to yes: Target, else no: Target = .next) {
        append(0x35, value, no, yes)
    }
    mutating func jump(ifAnyBitOf mask: UInt32, to yes: Target, else no: Target = .next) {
        append(0x45, mask, yes, no)
    }
    /// Jumps in any case: the result of the test does not matter.
    mutating func jump(to target: Target) { append(0x45, 0, target, target) }

    /// The value that ``load16(at:)`` loads for a 16-bit number in the machine's byte order.
    static func inMemory(_ value: Int) -> UInt32 { UInt32(UInt16(value).bigEndian) }

    private mutating func append(_ code: UInt16, _ operand: UInt32, _ yes: Target = .next, _ no: Target = .next) {
        instructions.append(Instruction(code: code, operand: operand, yes: yes, no: no))
    }

    /// The program in the form that the kernel accepts. It ends with the two verdicts.
    private var assembled: [clinux_filter_instruction] {
        func distance(_ target: Target, from position: Int) -> UInt8 {
            let destination =
                switch target {
                case .next: position + 1
                case .label(let name): labels[name]!
                case .accept: instructions.count
                case .drop: instructions.count + 1
                }
            return UInt8(destination - position - 1)
        }
        let body = instructions.enumerated().map { position, instruction in
            clinux_filter_instruction(
                code: instruction.code, jump_true: distance(instruction.yes, from: position),
                jump_false: distance(instruction.no, from: position), operand: instruction.operand)
        }
        return body + [Self.verdict(0x4_0000), Self.verdict(0)]
    }

    /// The instruction that ends the program. `octets` is how many of the message the kernel keeps: 0 drops it, and 256 KiB is
    /// more than any message has.
    private static func verdict(_ octets: UInt32) -> clinux_filter_instruction {
        clinux_filter_instruction(code: 0x06, jump_true: 0, jump_false: 0, operand: octets)
    }

    /// Attaches the filter to a socket. `purpose` follows "cannot" in an error.
    func attach(to descriptor: CInt, _ purpose: String) throws(SystemError) {
        let program = assembled
        let result = program.withUnsafeBufferPointer {
            clinux_attach_filter(descriptor, $0.baseAddress, UInt16($0.count))
        }
        guard result == 0 else { throw .last(purpose) }
    }
}
