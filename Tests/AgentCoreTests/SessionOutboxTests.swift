import Domain
import Testing

@testable import AgentCore

struct SessionOutboxTests {
    private let lease = Sample.lease()

    private func log(_ text: String, of lease: JobLease? = nil) -> AgentMessage {
        .log(lease ?? self.lease, text: text, droppedBytes: 0)
    }

    @Test("Heartbeats and completions go first, logs last")
    func priorities() async {
        let outbox = SessionOutbox()
        let completion = JobCompletion(lease: lease, outcome: .cancelled, summary: "", usage: .zero)
        outbox.send(log("a"))
        outbox.send(.progress(lease, step: "s", percent: 1))
        outbox.send(.accept(lease))
        outbox.send(.complete(completion))
        outbox.requestHeartbeat()
        #expect(await outbox.next() == .heartbeat)
        #expect(await outbox.next() == .message(.complete(completion)))
        #expect(await outbox.next() == .message(.accept(lease)))
        #expect(await outbox.next() == .message(.progress(lease, step: "s", percent: 1)))
        #expect(await outbox.next() == .message(log("a")))
    }

    @Test("Of credit, progress and the state of a site only the newest is said")
    func newest() async {
        let outbox = SessionOutbox()
        let digest = ContentDigest(String(repeating: "0", count: 64))!
        for generation in Int64(1)...500 {
            outbox.send(.credit(slots: Int(generation)))
            outbox.send(.progress(lease, step: "s", percent: Int(generation) % 100))
            outbox.send(
                .siteStatus(
                    SiteStatus(site: Sample.site, generation: generation, digest: digest, condition: .applied)))
        }
        guard case .message(.siteStatus(let status)) = await outbox.next() else {
            Issue.record("no status")
            return
        }
        #expect(status.generation == 500)
        #expect(await outbox.next() == .message(.credit(slots: 500)))
        #expect(await outbox.next() == .message(.progress(lease, step: "s", percent: 0)))
        outbox.close()
        #expect(await outbox.next() == nil)
    }

    @Test("Logs give way to what matters, and the gap is told")
    func gaps() async {
        let outbox = SessionOutbox()
        for number in 0..<SessionOutbox.limit { #expect(outbox.send(log("\(number % 10)"))) }
        #expect(outbox.send(.accept(lease)))
        #expect(outbox.send(log("x")))
        #expect(await outbox.next() == .message(.accept(lease)))
        #expect(await outbox.next() == .message(.log(lease, text: "2", droppedBytes: 2)))
        #expect(await outbox.next() == .message(log("3")))
    }

    @Test("Logs never hold more than their share of memory")
    func logBytes() async {
        let outbox = SessionOutbox()
        let piece = String(repeating: "x", count: 400 << 10)
        for _ in 0..<10 { #expect(outbox.send(log(piece))) }
        #expect(await outbox.next() == .message(.log(lease, text: piece, droppedBytes: Int64(8 * piece.utf8.count))))
    }

    @Test("When only things that matter wait, too many end the session")
    func overflow() async {
        let outbox = SessionOutbox()
        for _ in 0..<SessionOutbox.limit { #expect(outbox.send(.accept(Sample.lease()))) }
        #expect(!outbox.hasOverflowed)
        #expect(!outbox.send(.accept(lease)))
        #expect(outbox.hasOverflowed)
        #expect(await outbox.next() == nil)
        #expect(!outbox.send(.credit(slots: 1)))
    }

    @Test("Who waits gets what comes, and nothing when cancelled")
    func waiting() async {
        let outbox = SessionOutbox()
        async let first = outbox.next()
        outbox.send(.credit(slots: 1))
        #expect(await first == .message(.credit(slots: 1)))
        let waiting = Task { await outbox.next() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        #expect(!outbox.send(.credit(slots: 2)))
    }
}
