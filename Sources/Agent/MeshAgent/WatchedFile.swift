internal import ConfigurationFile
internal import Linux
internal import MeshConfiguration

/// The configuration file as it was last seen. It need not be there: then it is waited for.
struct WatchedFile: Sendable {
    /// Where the file is, or would be.
    let path: String
    private var stamp: SmallFile.Stamp?

    /// Why a file was not taken, a line each.
    struct Refusal: Error {
        var problems: [String]
    }

    init(path: String) {
        self.path = path
        remember()
    }

    /// Whether there is a file.
    var isPresent: Bool { SmallFile.exists(path) }

    /// Whether the file is another than when it was last read.
    var hasChanged: Bool { SmallFile.stamp(of: path) != stamp }

    private mutating func remember() { stamp = SmallFile.stamp(of: path) }

    /// Reads the file.
    mutating func read() -> Result<Configuration, Refusal> {
        remember()
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
