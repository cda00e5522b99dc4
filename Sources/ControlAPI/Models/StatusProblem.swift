extension Status {
    /// A problem that an operator should know about.
    public struct Problem: Codable, Hashable, Sendable {
        /// The kind, as in the label of `kubermesh_problems`.
        public var kind: String
        /// What it is about: a neighbor, a port, an address, a prefix; empty for the node itself.
        public var subject: String
        /// What is wrong, and why.
        public var problem: String
        /// What to do about it; `nil` if ``problem`` says that.
        public var remedy: String?
        /// Seconds since it was found.
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
