internal import Glibc

/// A network namespace, by its name under `/run/netns`.
public struct Namespace: Hashable, Sendable {
    /// The name, as `ip netns` has it.
    public var name: String

    /// Names a namespace, whether or not it is there.
    public init(_ name: String) { self.name = name }

    /// Whether there is such a namespace.
    public var exists: Bool { identity != nil }

    /// Makes several namespaces with a single process.
    static func create(_ namespaces: [Namespace]) throws(LabError) {
        try batch(namespaces.map { "netns add \($0.name)" })
    }

    /// Removes those of the namespaces that are there.
    static func remove(_ namespaces: [Namespace]) throws(LabError) {
        try batch(namespaces.filter(\.exists).map { "netns delete \($0.name)" })
    }

    /// Runs lines of `ip` with a single process: in one namespace, or in the one this process is in.
    static func batch(_ lines: [String], in namespace: Namespace? = nil) throws(LabError) {
        guard !lines.isEmpty else { return }
        let place = namespace.map { ["-n", $0.name] } ?? []
        try Command(["ip"] + place + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n").run()
    }

    /// The identity of a namespace in the kernel: device and inode of its file. `nil` when it is
    /// not there.
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

    /// The processes inside any of the namespaces, or about to be.
    static func processes(inside namespaces: [Namespace]) -> [Int32] {
        let wanted = Set(namespaces.compactMap(\.identity))
        let names = Set(namespaces.map(\.name))
        return Files.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
            // In this order: one that was not seen on its way is there by now, if it is to come at all.
            if destination(of: pid).map(names.contains) == true { return true }
            return Identity(path: "/proc/\(pid)/ns/net").map(wanted.contains) == true
        }
    }

    /// Waits until processes that were sent SIGSTOP have stopped. A thread must run to stop its process; on a busy
    /// machine that takes time, while the other threads go on.
    static func waitUntilStopped(_ pids: [Int32], limit: Duration = .seconds(5)) {
        let deadline = ContinuousClock.now + limit
        while pids.contains(where: isRunning), ContinuousClock.now < deadline { usleep(500) }
    }

    /// Whether any thread of a process is neither stopped nor dead.
    private static func isRunning(_ pid: Int32) -> Bool {
        Files.names(in: "/proc/\(pid)/task").contains { thread in
            // The state is after the name, which is in parentheses and may contain any.
            guard let text = Files.read("/proc/\(pid)/task/\(thread)/stat"), let name = text.lastIndex(of: ")") else {
                return false
            }
            return !["T", "t", "Z", "X"].contains(text[name...].dropFirst(2).first)
        }
    }

    /// Whether the process is alive and inside this namespace or about to be, and so is one of the lab's own.
    func holds(_ pid: Int32) -> Bool {
        // In this order: one that was not seen on its way is there by now, if it is to come at all.
        if Self.destination(of: pid) == name { return true }
        guard let identity else { return false }
        return Identity(path: "/proc/\(pid)/ns/net") == identity
    }

    /// The namespace that a process will enter, if it is an `ip netns exec` that did not come to it yet.
    private static func destination(of pid: Int32) -> String? {
        let words = commandLine(of: pid).split(separator: "\0").prefix(4).map(String.init)
        return words.count == 4 && words.starts(with: ["ip", "netns", "exec"]) ? words[3] : nil
    }

    /// The command line of a process. In the middle of `execve` a process has its program already but shows no arguments
    /// for a moment, and who has just started it can be quick enough to see that. Threads of the kernel and the dead have
    /// neither, and are not waited for.
    private static func commandLine(of pid: Int32) -> String {
        for _ in 0..<20 {
            guard let text = Files.read("/proc/\(pid)/cmdline") else { return "" }
            var target: CChar = 0
            if !text.isEmpty || readlink("/proc/\(pid)/exe", &target, 1) < 0 { return text }
            usleep(500)
        }
        return ""
    }
}
