internal import Node

/// What a node tells of its changes of routes.
extension Network {
    /// Steps are in their order and not in the future, something has changed, and no list is longer than it may be.
    mutating func check(_ convergence: Convergence, of node: Int) {
        statistics.convergences += 1
        let now = localTime(of: node)
        let steps = [convergence.began, convergence.calculated, convergence.installed, now]
        if zip(steps, steps.dropFirst()).contains(where: { $0 > $1 }) || convergence.calculations < 1 {
            report(.history, "\(name(node)) records the steps of a change of routes in the order \(steps)")
        }
        if convergence.movedCount + convergence.lostCount + convergence.gainedCount == 0 {
            report(.history, "\(name(node)) records a change of routes that changes none")
        }
        let lists = [
            convergence.causes.count, convergence.lost.count, convergence.gained.count, convergence.moves.count,
        ]
        if lists.contains(where: { $0 > Convergence.mostTexts }) {
            report(.history, "\(name(node)) records a change of routes with lists of \(lists) texts")
        }
    }
}
