internal import Glibc
internal import Linux

extension Configuration {
    /// Reads the configuration file at `path`.
    public init(contentsOf path: String) throws(ConfigurationProblems) {
        let octets: [UInt8]
        do {
            octets = try SmallFile.read(path, upTo: Self.maximumFileSize + 1)
        } catch {
            let hint =
                error.code == ENOENT ? "without a file, leave --config out; the defaults make a working node" : nil
            throw ConfigurationProblems(
                problems: [
                    ConfigurationProblem(
                        file: path, key: "", message: "cannot be read: \(SystemError.message(for: error.code))",
                        hint: hint)
                ])
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw ConfigurationProblems(
                problems: [ConfigurationProblem(file: path, key: "", message: "is not UTF-8 text")])
        }
        try self.init(yaml: text, file: path)
    }
}
