import NIOCore
import Testing

@testable import Egress

@Suite struct AddressTests {
    private func kind(_ text: String) throws -> AddressKind {
        AddressKind(try SocketAddress(ipAddress: text, port: 1).addressBytes)
    }

    @Test(
        "What everybody shares is open",
        arguments: ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1", "2a00::1"])
    func open(text: String) throws { #expect(try kind(text) == .open) }

    @Test(
        "Machines of one's own are local",
        arguments: ["127.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.0.1", "::1", "fd12::1"])
    func local(text: String) throws { #expect(try kind(text) == .local) }

    @Test(
        "Everything else is forbidden",
        arguments: [
            "0.0.0.0", "100.64.0.1", "169.254.169.254", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1",
            "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fec0::1",
            "ff02::1", "2001::1", "2001:db8::1", "2002::1", "64:ff9b::a00:1", "100::1",
        ])
    func forbidden(text: String) throws { #expect(try kind(text) == .forbidden) }

    @Test("An address is taken apart, and what is none is refused")
    func parts() {
        let address = EgressAddress("https://API.example.org/v1/responses")
        #expect(address?.host == "api.example.org" && address?.port == 443 && address?.path == "/v1/responses")
        #expect(address?.hostHeader == "api.example.org")
        #expect(EgressAddress("http://[::1]:11434/v1")?.authority == "[::1]:11434")
        for text in ["ftp://x/", "https://", "https://a:0/", "https://a:x/", "https://a@b/", "https://[::1/", "x"] {
            #expect(EgressAddress(text) == nil, "\(text)")
        }
    }

    @Test("A credential is found wherever the pieces are cut", arguments: 1...12)
    func scrubbing(size: Int) {
        let text = Array("aab aab-aab-secret! aab-aab-aab-secret! aab-aab-".utf8)
        var scrubber = SecretScrubber("aab-aab-secret!")
        var clean: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: size) {
            clean += scrubber.scrub(text[start..<min(text.count, start + size)])
        }
        clean += scrubber.finish()
        #expect(String(decoding: clean, as: UTF8.self) == "aab *************** aab-*************** aab-aab-")
    }
}
