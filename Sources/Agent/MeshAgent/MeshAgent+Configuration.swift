internal import ControlAPI
internal import Linux
internal import MeshConfiguration
internal import Node
internal import Timing

// The configuration file.

extension MeshAgent {
    /// The minimum time between checks of the configuration file. They follow timers of the node, so that the agent does not
    /// wake for them alone.
    private static let fileInterval = Duration.seconds(5)

    /// Checks the file at a timer of the node, if the last check is long enough ago.
    func checkFile() {
        let now = EventLoop.now
        guard now - fileChecked >= Self.fileInterval else { return }
        fileChecked = now
        checkClock()
        if file.hasChanged { reload() }
    }

    /// Tells the node the wall clock, at the start and when it was set, or has drifted, by more than 50 ms.
    func checkClock() {
        let now = EventLoop.now
        let time = Host.wallClock
        let offset = time - (now - .zero)
        if let clockOffset, (clockOffset - .milliseconds(50)...clockOffset + .milliseconds(50)).contains(offset) {
            return
        }
        clockOffset = offset
        handle(.clock(time))
    }

    /// Reads the configuration file again. An invalid one changes nothing.
    func reload() {
        switch file.read() {
        case nil: reportMissingFile()
        case .failure(let refusal):
            configurationStatus.ok = false
            configurationStatus.problems = refusal.problems
            handle(.configurationRefused(refusal.problems))
        case .success(let new):
            configurationStatus = Status.ConfigurationStatus(
                file: file.path, loaded: Timestamp.now, ok: true, problems: [],
                needsRestart: node.configuration.keysThatNeedRestart(in: new))
            handle(.configuration(new))
        }
    }

    /// Reports that there is no file. This is a problem if a configuration that was read from it is in use.
    private func reportMissingFile() {
        let isInUse = configurationStatus.file != nil
        configurationStatus.ok = !isInUse
        configurationStatus.problems = isInUse ? ["\(file.path): is gone"] : []
        configurationStatus.needsRestart = []
        handle(
            .configurationMissing(
                file: file.path, read: isInUse ? configurationStatus.loaded : nil,
                remedy: file.isRequired
                    ? "put it back, without it the agent does not start"
                    : "put it back, or restart to run with the defaults"))
    }
}
