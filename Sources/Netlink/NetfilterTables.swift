internal import CNetlink
internal import Glibc
public import Linux

/// Tables of nftables, as far as netlink is simpler than `nft`: whether anything has changed, and removal. To be used by one
/// thread at a time.
public final class NetfilterTables {
    private let socket: NetlinkSocket

    /// The family `inet` (NFPROTO_INET): tables for IPv4 and IPv6.
    private static let inet: UInt8 = 1

    /// Types of messages of nftables: the subsystem (NFNL_SUBSYS_NFTABLES) in the high octet, as in `linux/netfilter/nf_tables.h`.
    private enum MessageType {
        static let getTable = 10 << 8 | 1
        static let deleteTable = 10 << 8 | 2
        static let getChain = 10 << 8 | 4
        static let getRule = 10 << 8 | 7
        static let getObject = 10 << 8 | 19
        static let getGeneration = 10 << 8 | 16
        /// NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END, around the messages of a transaction.
        static let beginBatch = 16
        static let endBatch = 17
    }

    /// The fixed part of all messages of netfilter (`struct nfgenmsg`).
    private struct Fixed: BitwiseCopyable {
        var family: UInt8
        var version: UInt8 = 0
        /// In network order: the subsystem of a batch.
        var resource: UInt16 = 0
    }

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(SystemError) { socket = try NetlinkSocket(NETLINK_NETFILTER) }

    /// A number that another one follows with every transaction of any program in this network namespace. Throws where the
    /// kernel has no nftables.
    public func generation() throws(SystemError) -> UInt32 {
        var generation: UInt32?
        let refusal = try socket.get(MessageType.getGeneration, Fixed(family: 0)) { _ in
        } _: { message in
            message.forEachAttribute(after: Fixed.self) {
                if $0.type == 1 { generation = $0.value(UInt32.self)?.byteSwapped }  // NFTA_GEN_ID
            }
        }
        if let refusal { throw SystemError("read the generation of nftables", code: refusal.code) }
        guard let generation else { throw SystemError("read the generation of nftables", code: EBADMSG) }
        return generation
    }

    /// The chains (which must be named) and the rules of a table of the family `inet`, in a form that differs when any of
    /// them was changed, removed or added. Reads no elements of sets.
    public func structure(of table: String, chains: [String]) throws(SystemError) -> [UInt8] {
        let fixed = Fixed(family: Self.inet)
        var octets: [UInt8] = []
        for chain in chains {
            _ = try socket.get(MessageType.getChain, fixed) {
                $0.attribute(1, string: table)  // NFTA_CHAIN_TABLE
                $0.attribute(3, string: chain)  // NFTA_CHAIN_NAME
            } _: { message in
                octets += message.octets(after: Fixed.self)
            }
        }
        var rules: [UInt8] = []
        try socket.dump(MessageType.getRule, fixed, of: "rules of nftables") {
            $0.attribute(1, string: table)  // NFTA_RULE_TABLE
        } restart: {
            rules = []
        } _: { message in
            rules += message.octets(after: Fixed.self)
        }
        return octets + rules
    }

    /// The packets of a named counter in a table of the family `inet`; `nil` if there is no such counter.
    public func packets(of counter: String, in table: String) throws(SystemError) -> UInt64? {
        var packets: UInt64?
        _ = try socket.get(MessageType.getObject, Fixed(family: Self.inet)) {
            $0.attribute(1, string: table)  // NFTA_OBJ_TABLE
            $0.attribute(2, string: counter)  // NFTA_OBJ_NAME
            $0.attribute(3, UInt32(1).bigEndian)  // NFTA_OBJ_TYPE: NFT_OBJECT_COUNTER
        } _: { message in
            message.forEachAttribute(after: Fixed.self) { attribute in
                guard attribute.type == 4 else { return }  // NFTA_OBJ_DATA
                attribute.forEachNested {
                    if $0.type == 2 { packets = $0.value(UInt64.self)?.byteSwapped }  // NFTA_COUNTER_PACKETS
                }
            }
        }
        return packets
    }

    /// Removes a table of the family `inet` with all that is in it. Returns whether there was one.
    @discardableResult
    public func remove(_ table: String) throws(SystemError) -> Bool {
        var batch = MessageEncoder()
        let first = socket.sequenceNumbers(3)
        batch.message(
            MessageType.beginBatch, flags: 0, sequence: first, Fixed(family: 0, resource: UInt16(10).bigEndian))
        // Acknowledged itself, because older kernels do not acknowledge the end of a batch.
        batch.message(
            MessageType.deleteTable, flags: Flag.acknowledge, sequence: first &+ 1, Fixed(family: Self.inet)
        ) {
            $0.attribute(1, string: table)  // NFTA_TABLE_NAME
        }
        batch.message(
            MessageType.endBatch, flags: 0, sequence: first &+ 2, Fixed(family: 0, resource: UInt16(10).bigEndian))
        try socket.send(batch.octets)
        var code: Int32?
        while code == nil {
            guard case .octets(let count) = try socket.receive(wait: true) else {
                throw SystemError("read an answer of the kernel", code: ENOBUFS)
            }
            socket.forEachMessage(count) { message in
                // A kernel without nftables refuses the batch as a whole.
                if message.sequence &- first <= 2, let answer = message.answer, code == nil { code = answer.code }
            }
        }
        switch code {
        case 0: return true
        case ENOENT, EOPNOTSUPP, EPROTONOSUPPORT: return false
        default: throw SystemError("remove the nftables table \(table)", code: code ?? EIO)
        }
    }
}
