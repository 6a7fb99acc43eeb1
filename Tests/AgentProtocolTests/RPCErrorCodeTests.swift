import AgentProtocol
import Domain
import GRPCCore
import Testing

struct RPCErrorCodeTests {
    @Test("An error arrives with its code, field, rule and next step", arguments: ServiceError.Code.allCases)
    func roundTrip(code: ServiceError.Code) {
        let error = ServiceError(
            code, "the slug \"größe\" is taken", field: "slug", rule: "slug-format",
            nextStep: "Wähle 100 % anders.\nDann weiter.", retryAfter: .milliseconds(1500))
        let sent = RPCError(error)
        let read = ServiceError(sent)
        #expect(read.code == code)
        #expect(read.message == error.message)
        #expect(read.field == "slug")
        #expect(read.rule == "slug-format")
        #expect(read.nextStep == error.nextStep)
        #expect(read.retryAfter == .milliseconds(1500))
        for (_, value) in sent.metadata {
            #expect(value.encoded().utf8.allSatisfy { (0x20...0x7e).contains($0) })
        }
    }

    @Test("A status without our metadata gets the nearest code")
    func foreign() {
        #expect(ServiceError(RPCError(code: .unavailable, message: "gone")).code == .unavailable)
        #expect(ServiceError(RPCError(code: .deadlineExceeded, message: "")).code == .unavailable)
        #expect(!ServiceError(RPCError(code: .dataLoss, message: "")).message.isEmpty)
        let nonsense = RPCError(
            code: .notFound, message: "x",
            metadata: ["pagewright-code": "king", "pagewright-next-step": "%G1%4", "pagewright-retry-after-ms": "-1"])
        #expect(ServiceError(nonsense).code == .notFound)
        #expect(ServiceError(nonsense).nextStep == "%G1%4")
        #expect(ServiceError(nonsense).retryAfter == nil)
    }
}
