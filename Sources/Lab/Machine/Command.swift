internal import Glibc

/// A program with its arguments, to be run to its end or in the background, inside a namespace if one is given.
///
/// `ip netns exec` replaces itself with the program that it starts, so the started process is the program itself. It also
/// mounts a `/sys` with the namespace's own devices.
public struct Command: Hashable, Sendable {
    /// The program's name or path, and its arguments.
    public var arguments: [String]
    /// The text for its standard input.
    public var input: String

    /// Makes a command; with a namespace, one that runs inside of it.
    public init(_ arguments: [String], in namespace: String? = nil, input: String = "") {
        self.arguments = (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + arguments
        self.input = input
    }

    /// The result of a program that ended.
    public struct Output: Hashable, Sendable {
        /// The exit status. As in shells, 128 plus the number of the signal if a signal ended it.
        public var status: Int32
        /// What it wrote to its standard output.
        public var text: String
        /// What it wrote to its standard error.
        public var errors: String
    }

    /// Runs the program to its end and returns its standard output. Throws if it cannot be run, its exit status is not 0, or it
    /// takes longer than `limit` and is killed. The default is far above what a batch of `ip` takes, also on a busy machine.
    @discardableResult
    public func run(limit: Duration = .seconds(20)) throws(LabError) -> String {
        try spawn().checked(limit: limit)
    }

    /// Runs the program to its end, whatever its exit status. Throws only if it cannot be run, or takes longer than `limit` and
    /// is killed.
    public func output(limit: Duration = .seconds(20)) throws(LabError) -> Output {
        try spawn().finish(limit: limit)
    }

    /// Starts the program without waiting for it.
    public func spawn() throws(LabError) -> RunningCommand {
        let streams = [try Self.scratchFile(), try Self.scratchFile(), try Self.scratchFile()]
        if !input.isEmpty {
            try Self.write(input, to: streams[0])
            lseek(streams[0], 0, SEEK_SET)
        }
        let pid: Int32
        do {
            pid = try launch(input: streams[0], output: streams[1], errors: streams[2], detached: false)
        } catch {
            streams.forEach { close($0) }
            throw error
        }
        close(streams[0])
        return RunningCommand(arguments: arguments, pid: pid, output: streams[1], errors: streams[2])
    }

    /// Starts the program in its own session, so that it outlives this process. Its output is appended to the file `log`.
    /// Returns its process ID.
    public func startDaemon(log: String) throws(LabError) -> Int32 {
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { [null, file].forEach { if $0 >= 0 { close($0) } } }
        guard null >= 0, file >= 0 else { throw .system("open the log \(log)") }
        return try launch(input: null, output: file, errors: file, detached: true)
    }

    /// Replaces this process with the program. Returns only if that fails, with the reason.
    public func replaceThisProcess() -> LabError {
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        execvp(arguments[0], words)
        return .system("run \(arguments[0])")
    }

    /// Starts the program with these descriptors as its standard streams; `detached` gives it a session of its own. The
    /// program's signal mask is empty: signals that this process blocks must not stay blocked there.
    private func launch(input: Int32, output: Int32, errors: Int32, detached: Bool) throws(LabError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        let newSession: Int16 = 0x80  // POSIX_SPAWN_SETSID, which the headers show to GNU programs only.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | (detached ? newSession : 0))
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: Int32 = 0
        let status = posix_spawnp(&pid, arguments[0], &actions, &attributes, words, environ)
        guard status == 0 else {
            throw LabError("Cannot run \(arguments[0]): \(String(cString: strerror(status))). Is it installed?")
        }
        return pid
    }

    /// A file without a name. Unlike a pipe, it takes output of any length without a reader, and nothing remains of it.
    private static func scratchFile() throws(LabError) -> Int32 {
        guard let file = tmpfile() else { throw .system("make a scratch file in /tmp") }
        defer { fclose(file) }
        let descriptor = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .system("make a scratch file in /tmp") }
        return descriptor
    }

    private static func write(_ text: String, to descriptor: Int32) throws(LabError) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .system("write to a scratch file") }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// A program that was started. Call either ``finish(limit:)`` or ``checked(limit:)``, once: they reap the process and close its
/// files.
public struct RunningCommand: Sendable {
    let arguments: [String]
    /// Its process ID.
    public let pid: Int32
    /// The descriptors of the files to which its standard output and standard error go.
    let output: Int32
    let errors: Int32

    /// Sends it a signal.
    public func signal(_ number: Int32) { kill(pid, number) }

    /// What it has written to its standard output so far.
    public var text: String { Self.contents(of: output) }

    /// Waits for its end and returns its standard output. Throws if its exit status is not 0. After `limit`, kills it and
    /// throws.
    @discardableResult
    public func checked(limit: Duration = .seconds(20)) throws(LabError) -> String {
        let result = try finish(limit: limit)
        guard result.status == 0 else {
            let message = [result.errors, result.text].first { !$0.isEmpty } ?? "no output"
            throw LabError("\(arguments.joined(separator: " ")) failed with status \(result.status): \(message)")
        }
        return result.text
    }

    /// Waits for its end, whatever its exit status. After `limit`, kills it and throws.
    public func finish(limit: Duration = .seconds(20)) throws(LabError) -> Command.Output {
        defer {
            close(output)
            close(errors)
        }
        let deadline = ContinuousClock.now + limit
        var status: Int32 = 0
        var pause: UInt32 = 100  // microseconds: most commands end within a few milliseconds
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw LabError(
                    "\(arguments.joined(separator: " ")) did not end within \(limit). It wrote: "
                        + Self.contents(of: output) + Self.contents(of: errors))
            }
            usleep(pause)
            pause = min(pause * 2, 5000)
        }
        // As in WTERMSIG and WEXITSTATUS.
        let signal = status & 0x7f
        return Command.Output(
            status: signal == 0 ? status >> 8 & 0xff : 128 + signal, text: Self.contents(of: output),
            errors: Self.contents(of: errors))
    }

    private static func contents(of descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}

extension LabError {
    /// An error of a system call, with the system's description.
    static func system(_ what: String) -> LabError {
        let reason = errno
        let hint = reason == EPERM || reason == EACCES ? " A lab needs root: try sudo." : ""
        return LabError("Cannot \(what): \(String(cString: strerror(reason))).\(hint)")
    }
}
