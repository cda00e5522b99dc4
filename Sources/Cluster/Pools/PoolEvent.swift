internal import Addressing

/// A Kubernetes Event about a service.
enum PoolEvent: Hashable, Sendable {
    /// These addresses were written into the `status` of the service.
    case assigned([IPv6Address])
    /// The service gets no address, or not the one it requests.
    case problem(PoolProblem, Occurrence)

    /// When a problem began. Every leader finds the problems that there are, so their Events have a name that does not depend
    /// on the leader: if an Event of that name exists, the problem was reported.
    enum Occurrence: Hashable, Sendable {
        /// Unknown: the leadership found it when it began.
        case found
        /// During the leadership.
        case new
        /// During the leadership; an Event about the same problem at an earlier time still exists.
        case again
    }

    /// The Event's reason.
    var reason: String {
        switch self {
        case .assigned: "AddressAssigned"
        case .problem(let problem, _): problem.reason
        }
    }

    /// The Event's message.
    var message: String {
        switch self {
        case .assigned(let addresses): addresses.map(\.description).joined(separator: ", ")
        case .problem(let problem, _): "\(problem)"
        }
    }

    /// Whether there may be other Events that say the same about the service.
    var isUnique: Bool {
        switch self {
        case .assigned, .problem(_, .again): true
        case .problem(_, .found), .problem(_, .new): false
        }
    }

    /// Whether the Event's type is `Warning`.
    var isWarning: Bool { if case .problem(let problem, _) = self { problem.isWarning } else { false } }
}
