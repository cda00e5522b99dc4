/// The cryptographic sequence numbers of a sender (RFC 7166 §4.1). They increase for ever, so numbers are reserved on disk before
/// they are used: a restart begins above all that were reserved.
///
/// Without a saved state they begin at the wall clock's seconds times 256. So they increase as well if the disk is new, as long as the
/// clock is right; and if the clock is wrong, as long as the disk is not. The number is one counter and not a boot count with a
/// second counter behind it, because FRR compares its halves one by one and refuses a lower half that begins again.
struct SequenceNumbers: Sendable {
    /// The next number.
    private(set) var next: UInt64
    /// Numbers below this one may be used.
    private(set) var reserved: UInt64
    /// The reservation that is being saved.
    private(set) var pending: UInt64?

    /// How many numbers a reservation contains: hours of packets, so that the disk is written seldom.
    static let reservation: UInt64 = 1 << 18

    /// `saved` is the end of the last reservation, 0 if none is known; `second` is the wall clock's, `nil` if it is not set.
    init(saved: UInt64, second: Int64?) {
        let clock = second.map { UInt64(clamping: $0) << 8 } ?? 0
        next = max(saved, clock, 1)
        reserved = next
    }

    /// The reservation to save now; `nil` if there are enough numbers, or one is being saved.
    mutating func takeReservation() -> UInt64? {
        guard isReservationDue else { return nil }
        let (end, overflows) = max(next, reserved).addingReportingOverflow(Self.reservation)
        pending = overflows ? .max : end
        return pending
    }

    /// Whether numbers must be reserved, and none are being.
    var isReservationDue: Bool {
        pending == nil && reserved < .max && (next >= reserved || reserved - next < Self.reservation / 2)
    }

    /// A reservation was saved; or could not be, and is used without: a mesh that works until the next restart is better than none.
    mutating func reserve(_ end: UInt64) {
        if end == pending { pending = nil }
        reserved = max(reserved, end)
    }

    /// The number for a packet; `nil` if none is reserved, or none is left.
    mutating func take() -> UInt64? {
        guard next < reserved else { return nil }
        defer { next += 1 }
        return next
    }
}
