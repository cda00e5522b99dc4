public import BFD
internal import MeshConfiguration
import Yams

extension InterfaceRule {
    /// Reads `bfd`: `off`, `on`, or a section with parameters.
    mutating func readBFD(_ section: Section) {
        if case .scalar? = section.entries["bfd"] {
            section.read("bfd", into: &bfd) { try Read.word($0, ["on": BFDRule(), "off": nil]) }
            return
        }
        guard let inner = section.section("bfd", keys: ["interval", "multiplier", "passive", "auth"]) else { return }
        var rule = BFDRule()
        inner.read("interval", into: &rule.parameters.interval) {
            try Read.duration($0, in: SessionParameters.intervals)
        }
        inner.read("multiplier", into: &rule.parameters.multiplier) { try Read.integer($0, in: 1...255) }
        inner.read("passive", into: &rule.parameters.isPassive, Read.boolean)
        if let auth = inner.section("auth", keys: ["type", "id", "keyFile"]) {
            // A mistake in it is a problem of the file, which is then not used: never is a session without its key.
            rule.authentication = Self.authentication(auth)
        }
        bfd = rule
    }

    private static func authentication(_ section: Section) -> SessionKeyRule? {
        for key in ["type", "keyFile"] where !section.has(key) { section.note(Complaint("has no \"\(key)\"")) }
        let type = section.value("type") {
            try Read.word(
                $0,
                [
                    "password": AuthenticationType.simplePassword, "md5": .keyedMD5,
                    "meticulous-md5": .meticulousKeyedMD5, "sha1": .keyedSHA1,
                    "meticulous-sha1": .meticulousKeyedSHA1,
                ])
        }
        var id: UInt8 = 1
        section.read("id", into: &id) { try Read.integer($0, in: 0...255) }
        guard let type, let file = section.value("keyFile", Read.absolutePath) else { return nil }
        return SessionKeyRule(type: type, id: id, keyFile: file)
    }
}

extension KeyFile {
    /// Reads the key of a session of BFD: the first line of its file. Refuses a file that others may read or write.
    public static func read(_ rule: SessionKeyRule) throws(ConfigurationProblems) -> SessionKey {
        let secret = try contents(of: rule.keyFile, upTo: 1024).prefix { $0 != 0x0a && $0 != 0x0d }
        guard let key = SessionKey(type: rule.type, id: rule.id, secret: Array(secret)) else {
            throw problem(rule.keyFile, "the key must have 1 to \(rule.type.keyLengths.upperBound) octets")
        }
        return key
    }
}
