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

    /// Why the file cannot be used, one line for each problem.
    struct Refusal: Error {
        var problems: [String]
    }

    init(path: String, isRequired: Bool) {
        self.path = path
        self.isRequired = isRequired
        remember()
    }

    /// Whether there is a file.
    var isPresent: Bool { SmallFile.exists(path) }

    /// Whether the file has changed, appeared or disappeared since the last ``read()`` or, without one, the initializer.
    var hasChanged: Bool { SmallFile.stamp(of: path) != stamp }

    private mutating func remember() { stamp = SmallFile.stamp(of: path) }

    /// Reads the file; `nil` if there is none.
    mutating func read() -> Result<Configuration, Refusal>? {
        remember()
        guard isPresent else { return nil }
        guard !SmallFile.isSpecial(path) else {
            return .failure(Refusal(problems: ["\(path) is not a regular file"]))
        }
        do {
            return .success(try Configuration(contentsOf: path))
        } catch {
            return .failure(Refusal(problems: error.problems.map(\.description)))
        }
    }
}
