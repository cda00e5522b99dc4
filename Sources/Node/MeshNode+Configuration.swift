internal import Addressing
internal import Authentication
public import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

extension MeshNode {
    /// Applies a configuration that was read again, as far as it can take effect while the node runs. The other sections
    /// keep their values until the next start.
    mutating func reconfigure(_ new: Configuration, at now: Instant) {
        let waiting = configuration.keysThatNeedRestart(in: new)
        problems.configuration = []
        let externals = configuration.externals
        configuration.interfaces = new.interfaces
        configuration.advertise = new.advertise
        configuration.externals = new.externals
        configuration.vips = new.vips
        configuration.authentication = new.authentication
        authentication.configure(new.authentication.keys, at: now)
        log(
            .notice,
            waiting.isEmpty
                ? "configuration reloaded"
                : "configuration reloaded; takes effect at the next start: \(waiting.joined(separator: ", "))")
        if authentication.hasNews { tellAuthenticationNews(at: now) }
        refreshPorts(at: now)
        // What a port can do now is what it is meant to do.
        for port in quality.cables.keys { quality.update(port) { $0.acceptSpeed() } }
        liveness.endExemptions()
        bfd.mustWatchAgain = true
        if configuration.externals != externals { notifyRouter(.advertiseExternal(configuration.externals), at: now) }
        perform(vips.configure(configuration.vips, at: now), at: now)
        // The address of a VIP cannot be that of a service.
        reserveAddresses(at: now)
        announcements.invalidate()
    }

    /// Handles that the configuration file, read again, is not valid: the configuration in use stays in use.
    mutating func refuseConfiguration(_ reasons: [String]) {
        problems.configuration = reasons.map {
            Problem(
                .configuration, $0, "the configuration file is not valid, the earlier configuration stays in use: \($0)"
            )
        }
        log(
            .error,
            "the configuration file is not valid, the earlier configuration stays in use: "
                + reasons.joined(separator: "; "))
    }

    /// Handles that there is no configuration file: the configuration in use stays in use. `read` is when that was read from
    /// the file; `nil` if the defaults are in use, so that nothing is missing.
    mutating func missConfiguration(_ file: String, read: String?, _ remedy: String) {
        guard let read else {
            problems.configuration = []
            return log(.warning, "there is no configuration file \(file); the defaults are in use")
        }
        let problem = Problem(
            .configuration, file,
            "the configuration file \(file) is gone; the configuration read at \(read) stays in use", remedy: remedy)
        problems.configuration = [problem]
        log(.warning, problem.line)
    }
}

extension Configuration {
    /// The sections of `new` that differ from this configuration and take effect only at the next start.
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
