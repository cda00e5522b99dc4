internal import NIOSSL

extension RequestFailure {
    /// Why TLS with the API server failed, as text; `nil` if something else failed.
    static func tlsReason(_ error: any Error) -> String? {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the certificate of the API server is not for the address in use"
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            reason(stack.map(\.reasonName))
        case NIOSSLError.uncleanShutdown: "the connection was closed without ending TLS"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS failed"
        default: nil
        }
    }

    /// Text for the reasons of the TLS library.
    private static func reason(_ names: [String]) -> String {
        if names.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "the certificate of the API server is not valid, or not signed by the authority of the kubeconfig or "
                + "service account"
        }
        if names.contains(where: { ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"].contains($0) }) {
            return "the server does not speak TLS"
        }
        return "TLS handshake failed (\(names.first ?? "no reason given"))"
    }
}

extension BoringSSLInternalError {
    /// `REASON` in `Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:REASON at FILE:LINE`, without the file of
    /// the machine on which the library was built.
    fileprivate var reasonName: String {
        guard let start = description.firstRange(of: "OPENSSL_internal:")?.upperBound else { return "unknown reason" }
        return String(description[start...].prefix { $0 != " " })
    }
}
