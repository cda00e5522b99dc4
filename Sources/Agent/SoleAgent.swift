internal import Glibc
internal import Linux
internal import OSPF
internal import Timing

/// The lock of a network namespace. A namespace has at most one agent, because two would remove each other's routes and answer
/// neighbors with the same router ID. The lock is held while this value exists; the kernel
/// releases it when the process ends in any way.
struct SoleAgent: Sendable {
    private let namespace: NetworkNamespace

    /// Another process holds the lock.
    struct Taken: Error, CustomStringConvertible {
        /// The process, if it is visible.
        var process: Int?

        var description: String {
            let who =
                process.map { " as process \($0); stop it first, for example with kill \($0)" } ?? "; stop it first"
            return "meshd already runs in this network namespace" + who
        }
    }

    /// How long to wait for the holder to exit. On a busy machine, the next agent may start before the last thread of a killed
    /// one has exited.
    private static let patience = Duration.seconds(1)

    /// Acquires the lock of the calling thread's network namespace. Throws ``Taken`` if another process still holds it after
    /// ``patience``.
    init() throws {
        namespace = try .current()
        let deadline = EventLoop.now + Self.patience
        while try !namespace.lock() {
            guard EventLoop.now < deadline else { throw Taken(process: Self.holder(of: namespace.inode)) }
            usleep(2000)  // microseconds between attempts
        }
    }

    /// The process that has locked the file with this inode, from the lines of `/proc/locks`:
    /// `1: FLOCK  ADVISORY  WRITE 4711 00:04:4026531833 0 EOF`.
    private static func holder(of inode: UInt64) -> Int? {
        guard let octets = try? SmallFile.read("/proc/locks", upTo: 1 << 20) else { return nil }
        for line in String(decoding: octets, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 6, words[1] == "FLOCK",
                words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode
            {
                return Int(words[4])
            }
        }
        return nil
    }
}
