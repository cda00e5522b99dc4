internal import Glibc
internal import Linux
internal import OSPF
internal import Timing

/// The right to be the agent of a network namespace: there is one, because two would take away each other's routes and speak
/// with one voice to the neighbours. Held until the process ends, however that comes about.
struct SoleAgent: Sendable {
    private let namespace: NetworkNamespace

    /// Somebody else has it.
    struct Taken: Error, CustomStringConvertible {
        /// The process, if it can be seen from here.
        var process: Int?

        var description: String {
            let who =
                process.map { " as process \($0); stop it first, for example with kill \($0)" } ?? "; stop it first"
            return "meshd runs already in this network namespace" + who
        }
    }

    /// How long one that has it may take to be gone: whoever kills an agent and starts the next may be faster than its last
    /// thread, on a busy machine.
    private static let patience = Duration.seconds(1)

    /// Takes it, in the calling thread's network namespace; throws ``Taken`` when somebody else goes on having it.
    init() throws {
        namespace = try .current()
        let deadline = EventLoop.now + Self.patience
        while try !namespace.lock() {
            guard EventLoop.now < deadline else { throw Taken(process: Self.holder(of: namespace.inode)) }
            usleep(2000)
        }
    }

    /// The process that has locked the file with number `inode`, by the lines of `/proc/locks`:
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
