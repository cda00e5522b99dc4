internal import Glibc

/// The file operations of a lab. The mode `e` of `fopen` (O_CLOEXEC) keeps started programs from inheriting the descriptors.
enum Files {
    /// Reads a whole file; `nil` if it cannot be opened.
    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    /// Writes a whole file, under another name first: readers see either the old contents or the new.
    static func write(_ text: String, to path: String) throws(LabError) {
        let draft = path + ".new"
        guard let file = fopen(draft, "we") else { throw .system("write \(draft)") }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count, rename(draft, path) == 0 else {
            throw .system("write \(path)")
        }
    }

    /// Creates a directory and its parents, if they are missing. The path is absolute.
    static func makeDirectory(_ path: String) throws(LabError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/" + part
            guard mkdir(partial, 0o755) == 0 || errno == EEXIST else { throw .system("make the directory \(partial)") }
        }
    }

    /// The names in a directory, sorted; none if it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { found.append(name) }
        }
        return found.sorted()
    }

    /// Removes a directory with all that is in it, or a file. What cannot be removed stays, without an error. A directory that
    /// is not empty afterwards gets up to 1000 attempts, a millisecond apart.
    static func removeTree(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        // A thread of a process that was killed may still finish a call that creates a file, so a directory may not be empty
        // yet.
        for _ in 0..<1000 {
            for name in names(in: path) { removeTree("\(path)/\(name)") }
            guard rmdir(path) != 0, errno == ENOTEMPTY else { return }
            usleep(1000)
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
