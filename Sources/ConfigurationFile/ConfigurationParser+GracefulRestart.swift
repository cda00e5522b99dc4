internal import OSPF

extension GracefulRestartOptions {
    /// Reads `ospf.gracefulRestart`.
    mutating func read(_ section: Section) {
        section.read("helper", into: &helps, Read.boolean)
        section.read("strictLSAChecking", into: &checksLSAsStrictly, Read.boolean)
        section.read("period", into: &period) { node -> Duration? in
            if ["off", "false"].contains(try Read.text(node)) { return nil }
            return try Read.duration(node, in: .seconds(1)...Self.longestPeriod)
        }
    }
}
