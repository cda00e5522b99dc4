internal import Glibc
internal import Linux
internal import NIOCore
internal import NIOSSL
internal import Services
internal import Timing

/// TLS to the server of a probe. Before every attempt, it reads the files again if they have changed, so certificates can be
/// replaced while the agent runs.
struct TLSClient {
    /// Why an attempt cannot start.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// The maximum size of a certificate or key file, in octets; the rest of a larger one is not read.
    private static let longestFile = 1 << 20

    private let options: TLSOptions
    /// The context in use, and the stamps of the files from which it was made.
    private var made: (context: NIOSSLContext, of: [SmallFile.Stamp?])?

    init(_ options: TLSOptions) { self.options = options }

    /// The handler of a new connection.
    mutating func handler() throws -> NIOSSLClientHandler {
        do {
            return try NIOSSLClientHandler(context: context(), serverHostname: options.serverName)
        } catch let error as Problem {
            throw error
        } catch {
            throw Problem(description: "the TLS options cannot be used: \(error)")
        }
    }

    /// The context, made anew if one of its files has changed.
    private mutating func context() throws -> NIOSSLContext {
        let stamps = options.files.map(SmallFile.stamp(of:))
        if let made, made.of == stamps { return made.context }
        made = nil
        let context = try NIOSSLContext(configuration: configuration())
        made = (context, stamps)
        return context
    }

    private func configuration() throws(Problem) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        // How long to wait for a server that does not close TLS.
        tls.shutdownTimeout = .seconds(1)
        switch options.trust {
        case .system: break
        case .file(let path): tls.trustRoots = .certificates(try certificates(path))
        case .anything: tls.certificateVerification = .none
        }
        if let identity = options.identity {
            tls.certificateChain = try certificates(identity.certificate).map { .certificate($0) }
            let key = try octets(identity.key)
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            } catch {
                throw Problem(description: "\(identity.key): no PEM private key")
            }
        }
        return tls
    }

    private func certificates(_ path: String) throws(Problem) -> [NIOSSLCertificate] {
        let octets = try octets(path)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(octets), !certificates.isEmpty else {
            throw Problem(description: "\(path): no PEM certificate")
        }
        return certificates
    }

    private func octets(_ path: String) throws(Problem) -> [UInt8] {
        do {
            return try SmallFile.read(path, upTo: Self.longestFile)
        } catch {
            throw Problem(description: "cannot read \(path): \(SystemError.message(for: error.code))")
        }
    }
}

// MARK: - Reasons of failures as text

extension TLSOptions {
    /// Why TLS failed; `nil` if something else failed. `peer` is the certificate of the server, if any.
    func reason(_ error: any Error, peer: NIOSSLCertificate?, now: time_t = time(nil)) -> String? {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "its certificate is not for \(serverName ?? "its address"); set serverName to a name in it"
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            reason(stack, peer, now)
        case NIOSSLError.handshakeFailed(let error): "TLS handshake failed (\(error))"
        case NIOSSLError.uncleanShutdown: "the connection was closed without ending TLS"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS failed (\(error))"
        default: nil
        }
    }

    private func reason(_ stack: NIOBoringSSLErrorStack, _ peer: NIOSSLCertificate?, _ now: time_t) -> String {
        if stack.contains(.eofDuringHandshake) { return "the connection was closed during the TLS handshake" }
        let names = stack.map(\.reasonName)
        if names.contains("CERTIFICATE_VERIFY_FAILED") { return distrust(of: peer, now) }
        if names.contains(where: { ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"].contains($0) }) {
            return "does not speak TLS"
        }
        if names.contains(where: { ["UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"].contains($0) }) {
            return "does not speak TLS 1.2 or later"
        }
        if names.contains("TLSV1_ALERT_CERTIFICATE_REQUIRED") {
            return "requires a client certificate; set certificate and key"
        }
        return "TLS handshake failed (\(names.first ?? "no reason given"))"
    }

    private func distrust(of peer: NIOSSLCertificate?, _ now: time_t) -> String {
        if let peer, peer.notValidAfter < now { return "its certificate expired on \(day(peer.notValidAfter))" }
        if let peer, peer.notValidBefore > now {
            return "its certificate is not valid before \(day(peer.notValidBefore)); is the clock right?"
        }
        return switch trust {
        case .file(let path): "its certificate is not signed by a valid authority in \(path)"
        case .system, .anything:
            "its certificate is not signed by an authority of this machine; set ca to the right one"
        }
    }

    private func day(_ moment: time_t) -> String {
        var moment = moment
        var parts = tm()
        gmtime_r(&moment, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}

extension BoringSSLInternalError {
    /// `REASON` in `Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:REASON at FILE:LINE`; a text of another form
    /// as it is.
    fileprivate var reasonName: String {
        guard let start = description.firstRange(of: "OPENSSL_internal:")?.upperBound else { return description }
        return String(description[start...].prefix { $0 != " " })
    }
}
