internal import Glibc

/// A network namespace, by its name under `/run/netns`.
public struct Namespace: Hashable, Sendable {
    /// The name, as in `ip netns`.
    public var name: String

    /// Makes a reference to a namespace, whether or not it exists.
    public init(_ name: String) { self.name = name }

    /// Whether the namespace exists.
    public var exists: Bool { identity != nil }

    /// Creates several namespaces with a single process of `ip`.
    static func create(_ namespaces: [Namespace]) throws(LabError) {
        try batch(namespaces.map { "netns add \($0.name)" })
    }

    /// Removes those of the namespaces that exist.
    static func remove(_ namespaces: [Namespace]) throws(LabError) {
        try batch(namespaces.filter(\.exists).map { "netns delete \($0.name)" })
    }

    /// Runs several commands of `ip`, one per element, in a single process: in a namespace, or in that of this process. Stops
    /// at the first that fails, and throws.
    static func batch(_ lines: [String], in namespace: Namespace? = nil) throws(LabError) {
        guard !lines.isEmpty else { return }
        let place = namespace.map { ["-n", $0.name] } ?? []
        try Command(["ip"] + place + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n").run()
    }

    /// The identity of a namespace in the kernel: device and inode of its file. `nil` if it does not exist.
    private var identity: Identity? { Identity(path: "/run/netns/\(name)") }

    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64

        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// The processes that are inside any of the namespaces, or about to enter one as `ip netns exec`.
    static func processes(inside namespaces: [Namespace]) -> [Int32] {
        let wanted = Set(namespaces.compactMap(\.identity))
        let names = Set(namespaces.map(\.name))
        return Files.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
            // Checked in this order: a process that is no longer about to enter has entered by now, if it ever will.
            if destination(of: pid).map(names.contains) == true { return true }
            return Identity(path: "/proc/\(pid)/ns/net").map(wanted.contains) == true
        }
    }

    /// Waits until processes that were sent SIGSTOP have stopped or ended, for `limit` at most. The signal takes effect only
    /// when a thread of the process runs. On a busy machine that takes time, during which the other threads continue.
    static func waitUntilStopped(_ pids: [Int32], limit: Duration = .seconds(5)) {
        let deadline = ContinuousClock.now + limit
        while pids.contains(where: isRunning), ContinuousClock.now < deadline { usleep(500) }
    }

    /// Whether any thread of a process is neither stopped nor dead.
    private static func isRunning(_ pid: Int32) -> Bool {
        Files.names(in: "/proc/\(pid)/task").contains { thread in
            // The state is after the name, which is in parentheses and may contain any characters.
            guard let text = Files.read("/proc/\(pid)/task/\(thread)/stat"), let name = text.lastIndex(of: ")") else {
                return false
            }
            return !["T", "t", "Z", "X"].contains(text[name...].dropFirst(2).first)
        }
    }

    /// Whether the process is alive, and inside this namespace or about to enter it.
    func holds(_ pid: Int32) -> Bool {
        // Checked in this order: a process that is no longer about to enter has entered by now, if it ever will.
        if Self.destination(of: pid) == name { return true }
        guard let identity else { return false }
        return Identity(path: "/proc/\(pid)/ns/net") == identity
    }

    /// The namespace that a process will enter, if it is an `ip netns exec` that has not entered it yet.
    private static func destination(of pid: Int32) -> String? {
        let words = commandLine(of: pid).split(separator: "\0").prefix(4).map(String.init)
        return words.count == 4 && words.starts(with: ["ip", "netns", "exec"]) ? words[3] : nil
    }

    /// The command line of a process. During `execve`, a process shows no arguments for a moment although it has its program
    /// already, so this reads again. Kernel threads and dead processes have no program, so this does not wait for them.
    private static func commandLine(of pid: Int32) -> String {
        // 4000 × 500 µs: `execve` takes far less, but on a busy machine it may wait for a processor.
        for _ in 0..<4000 {
            guard let text = Files.read("/proc/\(pid)/cmdline") else { return "" }
            var target: CChar = 0
            if !text.isEmpty || readlink("/proc/\(pid)/exe", &target, 1) < 0 { return text }
            usleep(500)
        }
        return ""
    }
}
