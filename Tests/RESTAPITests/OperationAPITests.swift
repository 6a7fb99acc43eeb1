import Telemetry
import Testing

@testable import RESTAPI

@Suite struct OperationAPITests {
    @Test("It is alive, and ready when everything that it needs is")
    func readiness() async throws {
        try await RESTFixture.with { api, _ in
            let health = try await api.call("GET", "/healthz")
            #expect(health.json == ["status": "ok"])
            let ready = try await api.call("GET", "/readyz")
            #expect(ready.status == 200)
        }
        let check = ReadinessCheck(name: "database", isReady: false, detail: "does not answer")
        try await RESTFixture.with(readiness: { [check] }) { api, _ in
            let answer = try await api.call("GET", "/readyz")
            #expect(answer.status == 503)
            #expect(answer.string("status") == "not-ready")
            #expect(answer["checks"]?.elements.first?["detail"]?.text == "does not answer")
        }
    }

    @Test("Requests are counted by route template, never by what a client made up")
    func metrics() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            for name in ["one", "two", "three"] {
                _ = try await api.call("GET", "/api/v1/sites/\(name)", token: token)
                _ = try await api.call("GET", "/made-up-\(name)")
            }
            _ = try await api.call("POST", "/api/v1/auth/login", ["email": "a@example.org", "password": "wrong"])
            let text = try await api.call("GET", "/metrics").text
            #expect(text.contains("pagewright_logins_total{outcome=\"unauthenticated\"} 1\n"))
            #expect(
                text.contains(
                    "pagewright_http_requests_total{method=\"GET\",route=\"/api/v1/sites/{site}\",status=\"404\"} 3\n"))
            #expect(!text.contains("made-up"))
            #expect(text.contains("pagewright_http_request_duration_seconds_count{route=\"/api/v1/sites/{site}\"} 3\n"))
        }
    }
}
