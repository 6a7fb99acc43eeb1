import Testing

@testable import PagewrightCLI

struct AddressTests {
    @Test(
        "An address is a scheme, a host and a port",
        arguments: [
            ("localhost:8085", "http://localhost:8085"), ("https://Pages.example.org/", "https://pages.example.org"),
            ("http://[::1]:80", "http://[::1]:80"),
        ])
    func accepted(text: String, expected: String) {
        #expect(ServerAddress(argument: text)?.text == expected)
    }

    @Test(
        "What is no address is refused",
        arguments: ["", "ftp://example.org", "http://example.org/api", "http://example.org?x=1", "http://"])
    func refused(text: String) {
        #expect(ServerAddress(argument: text) == nil)
    }

    @Test("Parts of a path and of a query are escaped")
    func escaped() {
        let slug = "a/b c"
        let path: APIPath = "/sites/\(slug)/versions/\(2)"
        #expect(path.text == "/api/v1/sites/a%2Fb%20c/versions/2")
        #expect(path.with([("limit", "5"), ("site", nil), ("q", "ü&")]).text.hasSuffix("/2?limit=5&q=%C3%BC%26"))
    }
}
