internal import FoundationEssentials
public import Linux

/// The last known objects of one kind in a file, for an agent that starts while the API server is unreachable. The file is a
/// list in the form of the API, reduced to the fields that are used.
public enum ObjectFile {
    /// The maximum size of a file, in octets; a larger one counts as damaged.
    static let limit = 64 << 20

    /// Replaces the content of the file.
    public static func write<Object: Resource>(_ objects: [Object], to path: String) throws(SystemError) {
        // Nobody watches from the version of a file; the format needs a version.
        let list = ListPage(resourceVersion: "0", items: objects.sorted { $0.key < $1.key })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Encoding fails only for floating-point numbers that JSON cannot represent, and resources have none.
        try SmallFile.write(String(decoding: try! encoder.encode(list), as: UTF8.self) + "\n", to: path)
    }

    /// The objects in the file; `nil` if there is no file, or it is damaged or cannot be read.
    public static func read<Object: Resource>(_ type: Object.Type = Object.self, from path: String) -> [Object]? {
        guard let octets = try? SmallFile.read(path, upTo: limit) else { return nil }
        return try? JSONDecoder().decode(ListPage<Object>.self, from: Data(octets)).items
    }
}
