import Domain
import NIOSSL
import Testing

@testable import AgentCore

struct ConnectionTests {
    @Test(
        "An address is a name or a number with a port",
        arguments: [
            ("fleet.example.org:8443", "fleet.example.org", 8443), ("10.0.0.1:1", "10.0.0.1", 1),
            ("[::1]:65535", "::1", 65_535), ("localhost:8443", "localhost", 8443),
        ])
    func addresses(text: String, host: String, port: Int) throws {
        let address = try CoordinatorAddress(text)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.description == text)
    }

    @Test(
        "Other texts are refused with an example",
        arguments: [
            "", ":8443", "host", "host:", "host:0", "host:65536", "::1:8443", "[host]:1", "http://host:1", "a b:1",
        ])
    func malformed(text: String) {
        let error = #expect(throws: ServiceError.self) { try CoordinatorAddress(text) }
        #expect(error?.nextStep != nil)
    }

    @Test("The wait grows with each failure up to its end, and is anything up to its bound")
    func delays() {
        let delays = ReconnectDelay(first: .milliseconds(500), last: .seconds(60))
        #expect(delays.bound(afterFailures: 0) == .zero)
        #expect(delays.bound(afterFailures: 1) == .milliseconds(500))
        #expect(delays.bound(afterFailures: 4) == .seconds(4))
        #expect(delays.bound(afterFailures: 1000) == .seconds(60))
        for failures in 0..<50 {
            let delay = delays.delay(afterFailures: failures)
            #expect(delay >= .zero && delay <= delays.bound(afterFailures: failures))
        }
    }

    @Test("A coordinator that was killed is not said to refuse this host")
    func killed() {
        let tls = CoordinatorTLS(credential: { nil }, verification: { _ in })
        tls.noteTransportError(NIOSSLError.uncleanShutdown)
        #expect(tls.lastFailure == nil)
        tls.noteTransportError(NIOSSLError.handshakeFailed(.zeroReturn))
        #expect(tls.lastFailure?.rule == "tls-handshake")
    }
}
