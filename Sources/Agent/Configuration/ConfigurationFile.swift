import Glibc

extension Configuration {
    /// Reads the configuration file at `path`.
    public init(contentsOf path: String) throws(ConfigurationProblems) {
        let octets: [UInt8]
        do {
            octets = try TextFile.read(path, upTo: Self.maximumFileSize + 1)
        } catch {
            let hint =
                error.code == ENOENT ? "without a file, leave --config out; the defaults make a working node" : nil
            throw ConfigurationProblems(
                problems: [ConfigurationProblem(file: path, key: "", message: "cannot be read: \(error)", hint: hint)])
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw ConfigurationProblems(
                problems: [ConfigurationProblem(file: path, key: "", message: "is not UTF-8 text")])
        }
        try self.init(yaml: text, file: path)
    }
}

/// What the system said when something did not work.
struct SystemError: Error, CustomStringConvertible {
    var code: Int32
    init(_ code: Int32 = errno) { self.code = code }
    var description: String { String(cString: strerror(code)) }
}

/// Whole small files.
enum TextFile {
    /// The first `limit` octets of a file.
    static func read(_ path: String, upTo limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError() }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        while octets.count < limit {
            let wanted = min(limit - octets.count, 1 << 16)
            var code: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                let result = Glibc.read(descriptor, buffer.baseAddress, wanted)
                code = result < 0 ? errno : 0
                count = max(result, 0)
            }
            if code == EINTR { continue }
            if code != 0 { throw SystemError(code) }
            if chunk.isEmpty { break }
            octets += chunk
        }
        return octets
    }

    /// Puts `text` in place of a file at once, so that a reader sees the old or the new and nothing between.
    static func write(_ text: String, to path: String) throws(SystemError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError() }
        let octets = Array(text.utf8)
        let written = Glibc.write(descriptor, octets, octets.count)
        let code = written < 0 ? errno : EIO
        close(descriptor)
        guard written == octets.count, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw SystemError(code)
        }
    }
}
