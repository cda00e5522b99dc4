internal import Cluster
internal import ConfigurationFile
internal import ControlAPI
internal import Linux
internal import Logging
internal import MeshConfiguration
internal import OSPF
internal import Services
internal import Timing

// What happens by the clock, outside the router: the configuration file, the lifetimes of VIPs, the end of the start.

extension MeshAgent {
    private static let fileInterval = Duration.seconds(5)
    /// How long the file may wait for something else to wake the agent up: mostly a hello does.
    private static let fileSlack = Duration.seconds(2)

    /// Looks at the configuration file after a while, if there is one.
    func watchFile() {
        if file.path != nil { fileDeadline = EventLoop.now + Self.fileInterval }
    }

    /// Sets the timer for the next thing to be done by the clock.
    func scheduleHousekeeping() {
        guard let timers else { return }
        let next = [
            fileDeadline.map { $0 + Self.fileSlack }, vips.nextDeadline, portDeadline, sweepDeadline, reviewDeadline,
            membershipDeadline, serviceVIPs.nextDeadline, gate.nextDeadline,
            releasing.isEmpty && holding.isEmpty ? nil : EventLoop.now,
        ].compactMap(\.self).min()
        loop.setDeadline(next, of: timers.house)
    }

    /// Looks at the file if that is due, while the agent is awake anyway.
    func watchFileIfDue() {
        if let deadline = fileDeadline, deadline <= EventLoop.now { keepHouse() }
    }

    func keepHouse() {
        let now = EventLoop.now
        if let deadline = fileDeadline, deadline <= now {
            watchFile()
            if file.hasChanged { reload() }
        }
        perform(vips.handle(.timer, at: now))
        expireServices(at: now)
        holdSomeAddresses()
        releaseSomeAddresses()
        handleServiceProxy(.timer)
        if let deadline = reviewDeadline, deadline <= now { settle() }
        retryMemberships(at: now)
        openPortsIfDue()
        sweepIfConverged()
        scheduleHousekeeping()
    }

    private func refuse(_ problems: [String]) {
        configurationStatus.ok = false
        configurationStatus.problems = problems
        tell(.error, "the configuration was not taken: \(problems.joined(separator: "; "))")
    }

    /// Reads the configuration file again. A bad one changes nothing; of a good one, what can take effect now does.
    func reload() {
        guard let path = file.path, phase != .stopping else {
            tell(.notice, "there is no configuration file to read again")
            return
        }
        file.remember()
        guard !SmallFile.isSpecial(path) else { return refuse(["\(path) is not a regular file"]) }
        let new: Configuration
        do {
            new = try Configuration(contentsOf: path)
        } catch {
            return refuse(error.problems.map(\.description))
        }
        let waiting = configuration.keysThatNeedRestart(in: new)
        configuration.interfaces = new.interfaces
        configuration.advertise = new.advertise
        configuration.vips = new.vips
        configurationStatus = Status.ConfigurationStatus(
            file: path, loaded: Timestamp.now, ok: true, problems: [], needsRestart: waiting)
        tell(
            .notice,
            waiting.isEmpty
                ? "the configuration was read again"
                : "the configuration was read again; takes effect at the next start: \(waiting.joined(separator: ", "))"
        )
        refreshInterfaces()
        identifyIfPossible()
        perform(vips.configure(configuration.vips, at: EventLoop.now))
        reserveAddresses()
        advertise()
        settle()
        scheduleHousekeeping()
    }
}

extension Configuration {
    /// The sections of `new` that differ from this and cannot take effect while the agent runs.
    func keysThatNeedRestart(in new: Configuration) -> [String] {
        [
            ("node", node == new.node), ("addressing", addressing == new.addressing), ("cni", cni == new.cni),
            ("pools", pools == new.pools),
            ("ospf", ospf == new.ospf),
            ("kubernetes", kubernetes == new.kubernetes), ("kernel", kernel == new.kernel),
            ("control", control == new.control), ("http", http == new.http),
        ].filter { !$0.1 }.map(\.0)
    }
}

/// The configuration file as it was last seen.
struct ConfigurationFile: Sendable {
    /// The file; `nil` if there is none.
    let path: String?
    private var stamp: SmallFile.Stamp?

    init(path: String?) {
        self.path = path
        remember()
    }

    /// Whether the file is another than when it was last read.
    var hasChanged: Bool { path.map { SmallFile.stamp(of: $0) } != .some(stamp) }

    /// Notes that the file is read now.
    mutating func remember() { stamp = path.flatMap { SmallFile.stamp(of: $0) } }
}
