import AsyncHTTPClient
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(3))) struct LiveTests {
    @Test("Events come to whoever is logged in, after the one seen last")
    func events() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            var request = HTTPClientRequest(url: web.base + "/live?after=0")
            request.headers.add(
                name: "Cookie", value: await browser.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; "))
            let response = try await web.http.execute(request, timeout: .seconds(60))
            #expect(response.headers.first(name: "content-type") == "text/event-stream")
            var text = ""
            for try await piece in response.body {
                text += String(buffer: piece)
                if text.contains("event: site.created") { break }
            }
            #expect(text.contains("event: site.created"))
            #expect(try await Browser(web).get("/live?after=0").status == 401)
            #expect(try await browser.get("/live").status == 400)
        }
    }
}
