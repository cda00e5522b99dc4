extension Status {
    /// Something that somebody should look at.
    public struct Problem: Codable, Hashable, Sendable {
        /// What kind of problem it is, as `kubermesh_problems` labels it.
        public var kind: String
        /// Who or what has it: a neighbour, a port, an address, a prefix; empty for the node itself.
        public var subject: String
        /// What is wrong, and why.
        public var problem: String
        /// What to do about it; `nil` where ``problem`` says that too.
        public var remedy: String?
        /// For how many seconds it has been there.
        public var age: Double

        public init(kind: String, subject: String, problem: String, remedy: String?, age: Double) {
            self.kind = kind
            self.subject = subject
            self.problem = problem
            self.remedy = remedy
            self.age = age
        }

        /// One line for people.
        var line: String { "\(remedy.map { "\(problem); \($0)" } ?? problem) (for \(shortDuration(age)))".asOneLine }
    }
}
