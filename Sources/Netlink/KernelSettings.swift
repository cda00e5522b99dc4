internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links
public import Linux

/// The kernel settings that a router needs: reads them, and sets those that are wrong.
public enum KernelSettings {
    /// The result for one setting.
    public struct Outcome: Sendable, CustomStringConvertible {
        public enum Result: Sendable {
            /// It had the value already.
            case unchanged
            /// It was set; the associated value is the previous one.
            case changed(from: String)
            /// It cannot be set.
            case failed(SystemError)
            /// There is no such setting: this kernel does not have it, or the port is gone.
            case absent
        }

        /// The setting, such as `net.ipv6.conf.all.forwarding`.
        public var name: String
        /// The value it should have.
        public var wanted: String
        public var result: Result

        /// One line for display.
        public var description: String {
            switch result {
            case .unchanged: "\(name) = \(wanted)"
            case .changed(let previous): "\(name) = \(wanted) (was \(previous))"
            case .failed(let error): "\(name) should be \(wanted): \(error)"
            case .absent: "\(name): this kernel does not have it, or its port is gone"
            }
        }
    }

    /// Makes this machine forward IPv6 and IPv4, and choose among equal-cost paths by a hash of addresses, protocol and ports
    /// (policy 1) and not of addresses alone, in the calling thread's network namespace.
    public static func applyForwarding() -> [Outcome] { routing.map { set($0.name, to: $0.value) } }

    /// Makes a port forward IPv4 packets. It is needed besides `net.ipv4.ip_forward`, which only sets the ports that exist when
    /// it is written, and the value of new ones.
    public static func applyForwarding(on port: String) -> Outcome {
        set(Sysctl.name("ipv4", port, "forwarding"), to: "1")
    }

    /// The settings of the whole network namespace.
    private static let routing = [
        Deviation(name: "net.ipv6.conf.all.forwarding", value: "1", usual: "0"),
        Deviation(name: "net.ipv6.fib_multipath_hash_policy", value: "1", usual: "0"),
        Deviation(name: "net.ipv4.ip_forward", value: "1", usual: "0"),
        Deviation(name: "net.ipv4.fib_multipath_hash_policy", value: "1", usual: "0"),
    ]

    /// A setting whose value is not the usual one.
    public struct Deviation: Hashable, Sendable, CustomStringConvertible {
        /// The setting, such as `net.ipv6.conf.all.forwarding`.
        public var name: String
        public var value: String
        /// The usual value: the kernel's default or, for a port, the value of new ports.
        public var usual: String

        /// One line for display.
        public var description: String { "\(name) = \(value) (usually \(usual))" }
    }

    /// The settings of the network namespace and of `ports` that have the value an agent sets and not the usual one.
    /// The kernel does not record who set them.
    public static func deviations(on ports: [String]) -> [Deviation] {
        let whole = routing + [Deviation(name: "net.ipv4.nexthop_compat_mode", value: "0", usual: "1")]
        var result = whole.filter { (try? Sysctl.read($0.name)) == $0.value }
        func look(_ family: String, _ setting: String, for values: [String]) {
            guard let usual = try? Sysctl.read(Sysctl.name(family, "default", setting)) else { return }
            for port in ports {
                let name = Sysctl.name(family, port, setting)
                guard let value = try? Sysctl.read(name), values.contains(value), value != usual else { continue }
                result.append(Deviation(name: name, value: value, usual: usual))
            }
        }
        // The values that an agent sets: 0 refuses advertisements, 2 accepts them although the machine forwards.
        look("ipv6", "accept_ra", for: ["0", "2"])
        look("ipv4", "rp_filter", for: ["2"])
        return result
    }

    /// Whether a port accepts router advertisements, which set its default route and addresses. A port that forwards accepts
    /// them only with `accept_ra` = 2.
    public static func acceptsRouterAdvertisements(_ port: String) throws(SystemError) -> Bool {
        switch try Sysctl.read(Sysctl.name("ipv6", port, "accept_ra")) {
        case "2": true
        case "1": try Sysctl.read(Sysctl.name("ipv6", port, "forwarding")) == "0"
        default: false
        }
    }

    /// Makes a port accept router advertisements even if it forwards (`accept_ra` = 2), or never (0). Call this before
    /// forwarding is switched on: at that moment the kernel removes the learned default routes of all ports that do not have 2.
    /// After a change to 0, a default route that was learned stays until it expires; after a change to 2, one that was refused
    /// is learned from the router's next advertisement.
    public static func setRouterAdvertisements(accepted: Bool, on port: String) -> Outcome {
        set(Sysctl.name("ipv6", port, "accept_ra"), to: accepted ? "2" : "0")
    }

    /// Sets whether replacing a group makes the kernel notify every route that uses it
    /// (`net.ipv4.nexthop_compat_mode`), as programs that do not support next-hop objects need. The notifications
    /// take ten times the time of the replacement itself, or more.
    public static func setNextHopCompatibility(_ isOn: Bool) -> Outcome {
        set("net.ipv4.nexthop_compat_mode", to: isOn ? "1" : "0")
    }

    /// Makes a port accept IPv4 packets whose return path is another port (`rp_filter` = 2) if it would drop them now,
    /// because paths in a mesh are often asymmetric. `nil` if it accepts them already.
    public static func relaxReversePathFilter(of port: String) -> Outcome? {
        func value(_ port: String) -> Int { (try? Sysctl.read(name(port))).flatMap { Int($0) } ?? 0 }
        func name(_ port: String) -> String { Sysctl.name("ipv4", port, "rp_filter") }
        // The larger value of the two applies; 1 is strict, 2 is loose.
        guard max(value("all"), value(port)) == 1 else { return nil }
        return set(name(port), to: "2")
    }

    /// Makes a port continue to accept router advertisements while the machine forwards: changes `accept_ra` from 1 to
    /// 2. Otherwise a default route learned from an advertisement would expire. `nil` if the port accepts none, or has the
    /// value 2 already.
    public static func keepRouterAdvertisements(of port: String) -> Outcome? {
        guard (try? Sysctl.read(Sysctl.name("ipv6", port, "accept_ra"))) == "1" else { return nil }
        return setRouterAdvertisements(accepted: true, on: port)
    }

    /// Makes a port that refused router advertisements accept them again (`accept_ra` 0 becomes 2), if new ports accept
    /// them. `nil` if nothing needs to change.
    public static func acceptRouterAdvertisements(on port: String) -> Outcome? {
        guard (try? Sysctl.read(Sysctl.name("ipv6", port, "accept_ra"))) == "0",
            let usual = try? Sysctl.read(Sysctl.name("ipv6", "default", "accept_ra")), usual != "0"
        else { return nil }
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
