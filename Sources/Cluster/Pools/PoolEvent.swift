internal import Addressing

/// A Kubernetes Event about a service.
enum PoolEvent: Hashable, Sendable {
    /// These addresses were written into the `status` of the service.
    case assigned([IPv6Address])
    /// The service gets no address, or not the one it requests.
    case problem(PoolProblem)

    /// The Event's reason.
    var reason: String {
        switch self {
        case .assigned: "AddressAssigned"
        case .problem(let problem): problem.reason
        }
    }

    /// The Event's message.
    var message: String {
        switch self {
        case .assigned(let addresses): addresses.map(\.description).joined(separator: ", ")
        case .problem(let problem): "\(problem)"
        }
    }

    /// Whether the Event's type is `Warning`.
    var isWarning: Bool { if case .problem(let problem) = self { problem.isWarning } else { false } }
}
