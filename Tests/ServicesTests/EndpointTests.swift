import Addressing
import Services
import Testing

@Suite struct EndpointTests {
    @Test(arguments: ["[::1]:9179", "127.0.0.1:80", "[2001:db8::1]:65535"])
    func aValidEndpointIsPrintedAsItWasRead(text: String) { #expect(Endpoint(text)?.description == text) }

    @Test(arguments: [
        "", ":80", "::1:80", "[::1]", "[::1]:0", "[::1]:65536", "localhost:80", "[127.0.0.1]:80", "1.2.3:80",
    ])
    func anInvalidEndpointIsRefused(text: String) { #expect(Endpoint(text) == nil) }
}
