extension Status {
    /// A problem that an operator should know about.
    public struct Problem: Codable, Hashable, Sendable {
        /// The kind, as in the label of `kubermesh_problems`.
        public var kind: String
        /// What the problem is about, such as a neighbor, a port, an address or a prefix; empty for the node itself.
        public var subject: String
        /// What is wrong, and why.
        public var problem: String
        /// What to do about it; `nil` if ``problem`` says that or nothing is known.
        public var remedy: String?
        /// Seconds since it began or, if that is not known, since it was found.
        public var age: Double

        public init(kind: String, subject: String, problem: String, remedy: String?, age: Double) {
            self.kind = kind
            self.subject = subject
            self.problem = problem
            self.remedy = remedy
            self.age = age
        }

        /// The problem, the remedy and the age in one line, for people.
        var line: String { "\(remedy.map { "\(problem); \($0)" } ?? problem) (for \(shortDuration(age)))".asOneLine }
    }
}
