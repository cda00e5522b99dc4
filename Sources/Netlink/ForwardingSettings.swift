internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links
public import Linux

/// The kernel settings a router needs: checked, set where they are wrong, and told.
public enum ForwardingSettings {
    /// What became of one setting.
    public struct Outcome: Sendable, CustomStringConvertible {
        /// How it went.
        public enum Result: Sendable {
            /// It was right.
            case unchanged
            /// It was set; what it was before.
            case changed(from: String)
            /// It could not be set.
            case failed(SystemError)
            /// This kernel does not have it.
            case absent
        }

        /// The setting, such as `net.ipv6.conf.all.forwarding`.
        public var name: String
        /// What it should be.
        public var wanted: String
        /// How it went.
        public var result: Result

        /// One line for people.
        public var description: String {
            switch result {
            case .unchanged: "\(name) = \(wanted)"
            case .changed(let previous): "\(name) = \(wanted) (was \(previous))"
            case .failed(let error): "\(name) should be \(wanted): \(error)"
            case .absent: "\(name): this kernel does not have it"
            }
        }
    }

    /// Makes this machine forward IPv6 and IPv4 and spread flows by port over equal ways, in the calling thread's network
    /// namespace.
    public static func applyForwarding() -> [Outcome] {
        var outcomes: [Outcome] = []
        outcomes.append(set("net.ipv6.conf.all.forwarding", to: "1"))
        outcomes.append(set("net.ipv6.fib_multipath_hash_policy", to: "1"))
        outcomes.append(set("net.ipv4.ip_forward", to: "1"))
        outcomes.append(set("net.ipv4.fib_multipath_hash_policy", to: "1"))
        return outcomes
    }

    /// Whether a port accepts router advertisements, which give it a default route and addresses. One that forwards does so
    /// only if it is told to in particular (`accept_ra` = 2).
    public static func acceptsRouterAdvertisements(_ port: String) throws(SystemError) -> Bool {
        switch try Sysctl.read("net/ipv6/conf/\(port)/accept_ra") {
        case "2": true
        case "1": try Sysctl.read("net/ipv6/conf/\(port)/forwarding") == "0"
        default: false
        }
    }

    /// Has a port accept router advertisements whether or not it forwards (`accept_ra` = 2), or not at all (0). Say it before
    /// forwarding is switched on: then the kernel removes the default routes of all other ports. A default route that was
    /// learned stays until it runs out; one that was refused comes with the router's next advertisement.
    public static func setRouterAdvertisements(accepted: Bool, on port: String) -> Outcome {
        set("net/ipv6/conf/\(port)/accept_ra", to: accepted ? "2" : "0")
    }

    /// Whether replacing a group makes the kernel tell every route behind it again (`net.ipv4.nexthop_compat_mode`), as
    /// programs that do not know next-hop objects need. It costs ten times the time of the replacement itself, and more.
    public static func setNextHopCompatibility(_ isOn: Bool) -> Outcome {
        set("net.ipv4.nexthop_compat_mode", to: isOn ? "1" : "0")
    }

    /// Has a port take IPv4 packets whose way back is by another port (`rp_filter` = 2), if it would refuse them now: on a
    /// mesh packets often come another way than they would go. `nil` if it takes them already.
    public static func relaxReversePathFilter(of port: String) -> Outcome? {
        func value(_ port: String) -> Int { (try? Sysctl.read(name(port))).flatMap { Int($0) } ?? 0 }
        func name(_ port: String) -> String { "net/ipv4/conf/\(port)/rp_filter" }
        // The stricter of the two counts by its number; 1 is strict, 2 is loose.
        guard max(value("all"), value(port)) == 1 else { return nil }
        return set(name(port), to: "2")
    }

    /// Has a port go on taking router advertisements, which it would not while the machine forwards: `accept_ra` is 2 where
    /// it is 1. A default route learned from one would run out. `nil` if the port takes none, or takes them already.
    public static func keepRouterAdvertisements(of port: String) -> Outcome? {
        guard (try? Sysctl.read("net/ipv6/conf/\(port)/accept_ra")) == "1" else { return nil }
        return setRouterAdvertisements(accepted: true, on: port)
    }

    private static func set(_ name: String, to wanted: String) -> Outcome {
        do {
            let current = try Sysctl.read(name)
            if current == wanted { return Outcome(name: name, wanted: wanted, result: .unchanged) }
            try Sysctl.write(name, wanted)
            return Outcome(name: name, wanted: wanted, result: .changed(from: current))
        } catch let error {
            return Outcome(name: name, wanted: wanted, result: error.code == ENOENT ? .absent : .failed(error))
        }
    }
}
