internal import Addressing

/// What people are told of a service.
enum PoolNews: Hashable, Sendable {
    /// It was given these addresses.
    case assigned([IPv6Address])
    /// It lacks something.
    case problem(PoolProblem)

    /// One word.
    var reason: String {
        switch self {
        case .assigned: "AddressAssigned"
        case .problem(let problem): problem.reason
        }
    }

    /// A sentence.
    var message: String {
        switch self {
        case .assigned(let addresses): addresses.map(\.description).joined(separator: ", ")
        case .problem(let problem): "\(problem)"
        }
    }

    /// Whether somebody should do something.
    var isWarning: Bool { if case .problem(let problem) = self { problem.isWarning } else { false } }
}
