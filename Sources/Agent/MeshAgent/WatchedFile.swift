internal import ConfigurationFile
internal import Linux
internal import MeshConfiguration

/// The configuration file as last read. It need not exist: it may appear later.
struct WatchedFile: Sendable {
    /// The path, even if there is no file.
    let path: String
    /// Whether the agent does not start without it.
    let isRequired: Bool
    /// The stamp of the file as last read; `nil` if there was none.
    private var stamp: SmallFile.Stamp?
    /// The key file that the configuration names, and its stamp as last read.
    private var keyFile: String?
    private var keyStamp: SmallFile.Stamp?

    /// Why the file cannot be used, one line for each problem.
    struct Refusal: Error {
        var problems: [String]
    }

    init(path: String, isRequired: Bool) {
        self.path = path
        self.isRequired = isRequired
        remember()
    }

    /// Watches the key file that the configuration in use names, too.
    mutating func watch(keyFile: String?) {
        self.keyFile = keyFile
        keyStamp = keyFile.flatMap(SmallFile.stamp(of:))
    }

    /// Whether there is a file.
    var isPresent: Bool { SmallFile.exists(path) }

    /// Whether the file, or the key file, has changed, appeared or disappeared since the last ``read()`` or, without one, the
    /// initializer.
    var hasChanged: Bool { SmallFile.stamp(of: path) != stamp || keyFile.flatMap(SmallFile.stamp(of:)) != keyStamp }

    private mutating func remember() {
        stamp = SmallFile.stamp(of: path)
        keyStamp = keyFile.flatMap(SmallFile.stamp(of:))
    }

    /// Reads the file; `nil` if there is none.
    mutating func read() -> Result<Configuration, Refusal>? {
        remember()
        guard isPresent else { return nil }
        guard !SmallFile.isSpecial(path) else {
            return .failure(Refusal(problems: ["\(path) is not a regular file"]))
        }
        do {
            var configuration = try Configuration(contentsOf: path)
            // Before it is read: if it does not exist yet, or others may read it, the file is read again when that changes.
            watch(keyFile: configuration.authentication.keyFile)
            try configuration.readKeys()
            return .success(configuration)
        } catch {
            return .failure(Refusal(problems: error.problems.map(\.description)))
        }
    }
}
