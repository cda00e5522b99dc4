internal import Linux
internal import NIOSSL

/// Reads and checks the small files that describe a connection: kubeconfig, token, certificates, key.
enum ConnectionFile {
    static func exists(_ path: String) -> Bool { SmallFile.exists(path) }

    /// Reads a whole file of at most `limit` octets. The limit is far above the usual size and catches a wrong path. `place` is
    /// the key that names the file, if any; `advice` is what to do if it cannot be read.
    static func read(_ path: String, upTo limit: Int, place: String, advice: String) throws(ConnectionProblem)
        -> [UInt8]
    {
        let octets: [UInt8]
        do {
            octets = try SmallFile.read(path, upTo: limit + 1)
        } catch {
            throw ConnectionProblem(
                file: path, place: place, message: "cannot be read: \(SystemError.message(for: error.code))",
                advice: advice)
        }
        guard octets.count <= limit else {
            throw ConnectionProblem(
                file: path, place: place, message: "is larger than \(limit) octets", advice: "is it the right file?")
        }
        return octets
    }

    /// The text without white space at its ends.
    static func text(_ octets: [UInt8]) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        let start = octets.firstIndex { !isSpace($0) } ?? octets.endIndex
        let end = octets.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return String(decoding: octets[start..<max(start, end)], as: UTF8.self)
    }

    static func checkCertificates(_ pem: [UInt8], file: String, place: String) throws(ConnectionProblem) {
        if let certificates = try? NIOSSLCertificate.fromPEMBytes(pem), !certificates.isEmpty { return }
        throw ConnectionProblem(
            file: file, place: place, message: "contains no certificate",
            advice: "it must be PEM, with BEGIN CERTIFICATE and END CERTIFICATE")
    }

    static func checkKey(_ pem: [UInt8], file: String, place: String) throws(ConnectionProblem) {
        if (try? NIOSSLPrivateKey(bytes: pem, format: .pem)) != nil { return }
        throw ConnectionProblem(
            file: file, place: place, message: "contains no private key", advice: "it must be PEM, without a passphrase"
        )
    }
}
