internal import Addressing
internal import CNetlink
internal import Glibc
public import Linux
internal import Routing

// Kinds of groups that older kernels do not have.

/// The weights of members.
enum GroupWeight {
    /// The largest, for the only member of a group beside its backup, which has weight 1.
    static let beforeBackup: UInt16 = .max
}

extension nexthop_grp {
    /// The kernel adds one to the weight. Its upper octet (`weight_high`) was reserved before Linux 6.12 and had to be 0.
    init(_ object: NextHopID, weight: UInt16) {
        let value = weight - 1
        self.init(id: object.rawValue, weight: UInt8(value & 0xff), resvd1: UInt8(value >> 8), resvd2: 0)
    }

    /// 1–65,536.
    var totalWeight: Int { (Int(resvd1) << 8 | Int(weight)) + 1 }
}

/// The parameters of resilient groups. A resilient group has a table of buckets, each with one member; a flow's hash chooses
/// the bucket. When members change, only buckets of members that are gone and buckets without traffic get another member.
enum ResilientGroup {
    /// NEXTHOP_GRP_TYPE_RES.
    static let type: UInt16 = 1
    /// The kernel never changes the number of buckets of a group.
    private static let buckets: UInt16 = 128
    /// After what time without a packet a bucket may get another member: 60 s, in hundredths of a second (`USER_HZ`).
    private static let idleTimer: UInt32 = 60 * 100
    /// After what time out of balance buckets with traffic get another member too: never.
    private static let unbalancedTimer: UInt32 = 0

    /// Appends the attributes that make a group resilient.
    static func encode(into batch: inout MessageEncoder) {
        batch.attribute(Int(NHA_GROUP_TYPE), type)
        // NHA_RES_GROUP, with NHA_RES_GROUP_BUCKETS, _IDLE_TIMER and _UNBALANCED_TIMER.
        batch.nested(12 | Int(NLA_F_NESTED)) {
            $0.attribute(1, buckets)
            $0.attribute(2, idleTimer)
            $0.attribute(3, unbalancedTimer)
        }
    }
}

extension KernelFIB {
    /// Finds out, by trying, whether the kernel has resilient groups and weights that are large enough for backups. Uses the
    /// last two IDs of `range` for a moment. The test objects are for forwarding tables (`fdb`): they need no device, and no
    /// route can use them.
    public func groupSupport(in range: ClosedRange<UInt32>) throws(SystemError) -> (resilient: Bool, backups: Bool) {
        guard supportsNextHopObjects, range.count >= 4 else { return (false, false) }
        let (single, group) = (NextHopID(rawValue: range.upperBound - 1), NextHopID(rawValue: range.upperBound))
        // What a process left that was killed here.
        try removeObject(group)
        try removeObject(single)
        let refusal = try socket.request(
            Int(RTM_NEWNEXTHOP), flags: Flag.create | Flag.exclusive, nextHopHeader(family: AF_INET6)
        ) {
            $0.attribute(Int(NHA_ID), single.rawValue)
            $0.attribute(Int(NHA_GATEWAY), IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 1))
            $0.attribute(Int(NHA_FDB), octets: [])
        }
        guard refusal == nil else { return (false, false) }
        /// Whether the kernel accepts a group and has it as it was sent.
        func accepts(weight: UInt16, isResilient: Bool) throws(SystemError) -> Bool {
            let refusal = try socket.request(
                Int(RTM_NEWNEXTHOP), flags: Flag.create | Flag.exclusive, nextHopHeader(family: AF_UNSPEC)
            ) {
                $0.attribute(Int(NHA_ID), group.rawValue)
                $0.nested(Int(NHA_GROUP)) { $0.append(nexthop_grp(single, weight: weight)) }
                if isResilient { ResilientGroup.encode(into: &$0) }
                $0.attribute(Int(NHA_FDB), octets: [])
            }
            guard refusal == nil else { return false }
            var isSame = false
            _ = try socket.get(Int(RTM_GETNEXTHOP), nhmsg(), { $0.attribute(Int(NHA_ID), group.rawValue) }) {
                let object = NextHopObject($0)
                isSame = object?.weights == [Int(weight)] && object?.isResilient == isResilient
            }
            try removeObject(group)
            return isSame
        }
        let resilient = try accepts(weight: 1, isResilient: true)
        let backups = try accepts(weight: GroupWeight.beforeBackup, isResilient: false)
        try removeObject(single)
        return (resilient, backups)
    }

    /// Removes an object, if it exists.
    private func removeObject(_ id: NextHopID) throws(SystemError) {
        _ = try socket.request(Int(RTM_DELNEXTHOP), flags: 0, nhmsg()) { $0.attribute(Int(NHA_ID), id.rawValue) }
    }
}
