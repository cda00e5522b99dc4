internal import Glibc
internal import Linux
public import MeshConfiguration

extension Configuration {
    /// Reads the configuration file at `path`; `hint` says what to do if there is none. Keys are not read (``readKeys()``).
    public init(contentsOf path: String, hint: String = "is the path right?") throws(ConfigurationProblems) {
        let octets: [UInt8]
        do {
            // One octet more than allowed shows that a file is too long. Any kind of file, so that `meshctl validate` can
            // read a pipe.
            octets = try SmallFile.read(path, upTo: Self.maximumFileSize + 1, isAnyKind: true)
        } catch {
            throw ConfigurationProblems(
                problems: [
                    ConfigurationProblem(
                        file: path, key: "", message: "cannot be read: \(SystemError.message(for: error.code))",
                        hint: error.code == ENOENT ? hint : nil)
                ])
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw ConfigurationProblems(
                problems: [ConfigurationProblem(file: path, key: "", message: "is not UTF-8 text")])
        }
        try self.init(yaml: text, file: path)
    }
}
