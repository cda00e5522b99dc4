public import Authentication
internal import Glibc
internal import Linux
public import MeshConfiguration
import Yams

/// The file with the keys of the mesh. It is apart from the configuration file because it must be readable by the agent alone.
public enum KeyFile {
    /// The maximum size, in octets.
    static let maximumSize = 1 << 16

    /// Reads a key file. Refuses one that others may read or write.
    public static func read(_ path: String) throws(ConfigurationProblems) -> KeyChain {
        let octets = try contents(of: path, upTo: maximumSize)
        guard let text = String(validating: octets, as: UTF8.self) else { throw problem(path, "is not UTF-8 text") }
        return try parse(text, file: path)
    }

    /// The octets of a file with a secret. Refuses one that others may read or write.
    static func contents(of path: String, upTo size: Int) throws(ConfigurationProblems) -> [UInt8] {
        let octets: [UInt8]
        do {
            try checkPermissions(path)
            octets = try SmallFile.read(path, upTo: size + 1)
        } catch let error as SystemError {
            throw problem(path, "cannot be read: \(SystemError.message(for: error.code))")
        } catch let complaint as Complaint {
            throw problem(path, complaint.message, hint: complaint.hint)
        } catch {
            throw problem(path, "cannot be read: \(error)")
        }
        guard octets.count <= size else { throw problem(path, "is longer than \(size) octets") }
        return octets
    }

    static func problem(_ path: String, _ message: String, hint: String? = nil) -> ConfigurationProblems {
        ConfigurationProblems(
            problems: [ConfigurationProblem(file: path, key: "", message: message, hint: hint)])
    }

    /// Only the owner, which is root or this process, may have access; and the group if that is root's or this process's.
    private static func checkPermissions(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError.last("open \(path)") }
        let isOwnersOurs = status.st_uid == 0 || status.st_uid == geteuid()
        let isGroupOurs = status.st_gid == 0 || status.st_gid == getegid()
        guard isOwnersOurs, status.st_mode & 0o007 == 0, isGroupOurs || status.st_mode & 0o070 == 0 else {
            throw Complaint("other users may read or change it", hint: "chmod 600 \(path); chown root \(path)")
        }
    }

    /// Parses the text of a key file: a list of keys, the first of which are preferred.
    static func parse(_ yaml: String, file: String) throws(ConfigurationProblems) -> KeyChain {
        let reader = ConfigurationReader(file: file)
        var keys: [AuthenticationKey] = []
        do {
            guard let root = try Yams.compose(yaml: yaml, .basic, .default, .utf8), !root.isNothing else {
                throw Complaint("has no keys", hint: "meshd make-key makes one")
            }
            let section = reader.section(root, key: "", keys: ["keys"])
            let list = section?.list("keys") ?? []
            if list.isEmpty, reader.problems.isEmpty {
                throw Complaint("has no keys", hint: "meshd make-key makes one")
            }
            if list.count > KeyChain.mostKeys { throw Complaint("has more than \(KeyChain.mostKeys) keys") }
            for (node, place) in list {
                guard let key = AuthenticationKey(node, key: place, reader) else { continue }
                if keys.contains(where: { $0.id == key.id }) {
                    reader.note(Complaint("another key has the ID \(key.id) already"), at: node, key: place)
                } else {
                    keys.append(key)
                }
            }
        } catch {
            reader.note(error)
        }
        if !reader.problems.isEmpty { throw ConfigurationProblems(problems: reader.problems) }
        return KeyChain(keys)
    }
}

extension AuthenticationKey {
    fileprivate init?(_ node: Node, key: String, _ reader: ConfigurationReader) {
        let keys = ["id", "algorithm", "secret", "compatibility", "send", "accept"]
        guard let section = reader.section(node, key: key, keys: keys) else { return nil }
        for name in ["id", "secret"] where !section.has(name) {
            section.note(Complaint("has no \"\(name)\"", hint: "meshd make-key makes a key"))
            return nil
        }
        guard let id = section.value("id", { try Read.integer($0, in: 1...UInt16.max) }) else { return nil }
        guard let secret = section.value("secret", Self.secret) else { return nil }
        var algorithm = AuthenticationAlgorithm.hmacSHA256
        section.read("algorithm", into: &algorithm) { node in
            try Read.word(
                node,
                [
                    "hmac-sha-1": .hmacSHA1, "hmac-sha-256": .hmacSHA256, "hmac-sha-384": .hmacSHA384,
                    "hmac-sha-512": .hmacSHA512,
                ])
        }
        var swapsProtocolID = false
        section.read("compatibility", into: &swapsProtocolID) { try Read.word($0, ["rfc7166": false, "frr": true]) }
        self.init(
            id: id, algorithm: algorithm, secret: secret, swapsProtocolID: swapsProtocolID,
            sending: Self.validity("send", section),
            acceptance: Self.validity("accept", section))
    }

    private static func secret(_ node: Node) throws -> [UInt8] {
        let octets = Array(try Read.text(node).utf8)
        // The text must not be in the complaint.
        guard (1...maximumSecretSize).contains(octets.count) else {
            throw Complaint("must be a text of 1 to \(maximumSecretSize) octets")
        }
        return octets
    }

    private static func validity(_ name: String, _ section: Section) -> Validity {
        var validity = Validity()
        guard let inner = section.section(name, keys: ["from", "until"]) else { return validity }
        inner.read("from", into: &validity.from, Read.time)
        inner.read("until", into: &validity.until, Read.time)
        if let from = validity.from, let until = validity.until, until <= from {
            inner.note(Complaint("must be later than \"from\""), at: "until")
        }
        return validity
    }
}

extension Read {
    /// A time in UTC, as in `2026-12-31T23:59:59Z`, in seconds since 1970.
    static func time(_ node: Node) throws -> Int64? {
        let text = try text(node)
        guard let second = second(text) else {
            throw Complaint(
                "\"\(text.prefix(40))\" is not a time", hint: "in UTC, for example 2026-12-31T23:59:59Z")
        }
        return second
    }

    private static func second(_ text: String) -> Int64? {
        let octets = Array(text.utf8)
        let shape = Array("0000-00-00T00:00:00Z".utf8)
        guard octets.count == shape.count else { return nil }
        var numbers: [Int32] = [0]
        for (octet, expected) in zip(octets, shape) {
            if expected == UInt8(ascii: "0") {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) else { return nil }
                numbers[numbers.count - 1] = numbers.last! * 10 + Int32(octet - UInt8(ascii: "0"))
            } else {
                guard octet == expected else { return nil }
                if expected != UInt8(ascii: "Z") { numbers.append(0) }
            }
        }
        guard numbers[0] >= 1970, (1...12).contains(numbers[1]), (1...31).contains(numbers[2]), numbers[3] < 24,
            numbers[4] < 60, numbers[5] < 60
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        let second = timegm(&parts)
        // The 31st of a month with 30 days became the 1st of the next one.
        return parts.tm_mday == numbers[2] ? Int64(second) : nil
    }
}

extension Configuration {
    /// Reads the key file that `auth` names, if it names one.
    public mutating func readKeys() throws(ConfigurationProblems) {
        guard let path = authentication.keyFile else { return }
        authentication.keys = try KeyFile.read(path)
    }
}
