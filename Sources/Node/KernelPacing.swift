internal import Timing

/// Limits the size of requests to the kernel, so that hellos never wait long for them.
struct KernelPacing: Hashable, Sendable {
    /// The size of the next batch of addresses.
    var addressBatch = AddressBatch()
    /// Whether addresses may be requested: not between the outcomes of a batch and the next turn.
    var mayRequestAddresses = true
    /// Whether further routes may be changed: not between the last outcome of a slice (``FIBInstaller/limit``) and the next
    /// turn.
    var mayInstallRoutes = true

    /// Permits both, at each event that is no outcome. The last outcome of a batch or a slice forbids the next one.
    mutating func beginTurn() {
        mayRequestAddresses = true
        mayInstallRoutes = true
    }
}

/// The number of addresses to add or remove at a time. For each of them the kernel scans its routes, so thousands of both
/// would delay hellos by seconds. The size adapts to the time that the kernel takes, and begins small because that is not
/// known.
struct AddressBatch: Hashable, Sendable {
    /// The number of addresses in the next batch.
    private(set) var size = 16
    /// When the batch under way was requested.
    private var requested: Instant?

    /// The longest time that a batch should take: far less than the hello interval, which is at least 1 s.
    private static let target = Duration.milliseconds(5)
    /// One address must be possible however slow the kernel is; the largest batch bounds the effects of one turn.
    private static let sizes = 1...256

    /// A batch was requested.
    mutating func begin(at now: Instant) { requested = now }

    /// The outcomes of the batch are there: halves the size if it took longer than ``target``, doubles it if it took less than
    /// half of that.
    mutating func end(at now: Instant) {
        guard let requested else { return }
        self.requested = nil
        let duration = now - requested
        if duration > Self.target { size /= 2 } else if duration < Self.target / 2 { size *= 2 }
        size = min(max(size, Self.sizes.lowerBound), Self.sizes.upperBound)
    }
}
