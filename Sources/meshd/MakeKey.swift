import ArgumentParser

extension Meshd {
    struct MakeKey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "make-key",
            abstract: "Write a new random key for the authentication of OSPF packets, as text for the key file.",
            discussion: """
                For a new file: umask 077; meshd make-key > /etc/kubermesh/keys.yaml. To replace a key, add the new one behind the \
                old one on all nodes, then put it first on all nodes, then remove the old one.
                """)

        @Option(help: "The identifier, 1 to 65535, different for each key.")
        var id = 1
        @Option(help: "hmac-sha-1, hmac-sha-256, hmac-sha-384 or hmac-sha-512.")
        var algorithm = "hmac-sha-256"

        /// The length of the secret: with the two octets that OSPFv3 appends it is as long as the digest, at most. Implementations
        /// treat longer secrets in different ways.
        private static let lengths = [
            "hmac-sha-1": 18, "hmac-sha-256": 30, "hmac-sha-384": 46, "hmac-sha-512": 62,
        ]

        func validate() throws {
            guard (1...65535).contains(id) else { throw ValidationError("--id must be 1 to 65535.") }
            guard Self.lengths[algorithm] != nil else {
                throw ValidationError("“\(algorithm)” is not a valid algorithm; see --help.")
            }
        }

        func run() throws {
            // Letters and digits need no quotes in the configuration files of any router.
            let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
            var generator = SystemRandomNumberGenerator()
            let secret = String((0..<Self.lengths[algorithm]!).map { _ in letters.randomElement(using: &generator)! })
            print("keys:\n- id: \(id)\n  algorithm: \(algorithm)\n  secret: \(secret)")
        }
    }
}
