internal import CNetlink
internal import Glibc
internal import Linux

/// The interface `lo` of the calling thread's network namespace. While it is down, none of its addresses is reachable,
/// and the kernel removes its IPv6 addresses.
public enum LoopbackInterface {
    /// Sets it up if it is down. A failure is an outcome too.
    public static func setUp() -> KernelSettings.Outcome {
        var outcome = KernelSettings.Outcome(name: "lo", wanted: "up", result: .unchanged)
        do throws(SystemError) {
            let socket = try NetlinkSocket()
            // Its index is 1 in every network namespace.
            var flags: UInt32 = 0
            let unread = try socket.get(Int(RTM_GETLINK), ifinfomsg(index: 1), { _ in }) { message in
                flags = message.fixed(ifinfomsg.self)?.ifi_flags ?? 0
            }
            if let unread { throw SystemError("read the state of lo", code: unread.code) }
            guard flags & UInt32(IFF_UP) == 0 else { return outcome }
            let up = UInt32(IFF_UP)
            let refusal = try socket.request(
                Int(RTM_NEWLINK), flags: 0, ifinfomsg(index: 1, flags: up, change: up)
            ) { _ in }
            if let refusal {
                throw SystemError("set lo up", code: refusal.code, explanation: refusal.explanation)
            }
            outcome.result = .changed(from: "down")
        } catch {
            outcome.result = .failed(error)
        }
        return outcome
    }
}

extension ifinfomsg {
    fileprivate init(index: Int32, flags: UInt32 = 0, change: UInt32 = 0) {
        self.init()
        ifi_index = index
        ifi_flags = flags
        ifi_change = change
    }
}
