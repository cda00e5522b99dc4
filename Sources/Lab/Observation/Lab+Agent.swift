internal import ControlAPI

/// What the agents of a lab answer on their sockets.
extension Lab {
    func meshdAdjacencies(of name: String) throws(LabError) -> [Adjacency] {
        []
    }

    func meshdDatabase(of name: String) throws(LabError) -> [DatabaseEntry] {
        []
    }
}
