internal import Glibc

/// Lets one process at a time create a lab, start all its routers or remove it.
enum Lock {
    static let fileName = "lock"

    /// Calls `body` while this process holds the lock of the directory. Throws if another process still holds it after 10 s.
    ///
    /// With `sharedByPrograms`, programs that `body` starts inherit the lock and hold it as long as they run. If this process
    /// crashes, the next caller waits until they have ended, so that it finds everything that they created.
    static func whileHeld<Result>(
        in directory: String, sharedByPrograms: Bool = false, _ body: () throws(LabError) -> Result
    ) throws(LabError) -> Result {
        let file = open("\(directory)/\(fileName)", O_RDWR | O_CREAT | (sharedByPrograms ? 0 : O_CLOEXEC), 0o644)
        guard file >= 0 else { throw .system("open \(directory)/\(fileName)") }
        defer { close(file) }
        let deadline = ContinuousClock.now + .seconds(10)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                throw LabError("Another command is using the lab in \(directory); try again when it has ended.")
            }
            usleep(2000)
        }
        return try body()
    }
}
