internal import Addressing
public import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

extension MeshNode {
    /// Applies a configuration that was read again, as far as it can take effect while the node runs.
    mutating func reconfigure(_ new: Configuration, at now: Instant) {
        let waiting = configuration.keysThatNeedRestart(in: new)
        problems.configuration = []
        let externals = configuration.externals
        configuration.interfaces = new.interfaces
        configuration.advertise = new.advertise
        configuration.externals = new.externals
        configuration.vips = new.vips
        log(
            .notice,
            waiting.isEmpty
                ? "configuration reloaded"
                : "configuration reloaded; takes effect at the next start: \(waiting.joined(separator: ", "))")
        refreshPorts(at: now)
        if configuration.externals != externals { notifyRouter(.advertiseExternal(configuration.externals), at: now) }
        perform(vips.configure(configuration.vips, at: now), at: now)
        reserveAddresses(at: now)
        announcements.invalidate()
    }
}

extension Configuration {
    /// The sections of `new` that differ from this and cannot take effect while the agent runs.
    public func keysThatNeedRestart(in new: Configuration) -> [String] {
        [
            ("node", node == new.node), ("addressing", addressing == new.addressing), ("cni", cni == new.cni),
            ("pools", pools == new.pools),
            ("ospf", ospf == new.ospf),
            ("kubernetes", kubernetes == new.kubernetes), ("kernel", kernel == new.kernel),
            ("control", control == new.control), ("http", http == new.http),
        ].filter { !$0.1 }.map(\.0)
    }
}
