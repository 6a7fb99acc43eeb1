import AgentCore
import Domain
import Engines
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import Worker

/// One agent ends, the next one goes on: the same attempt, the same lease, nothing said twice and nothing lost.
@Suite(.serialized) struct ReattachTests {
    private func begin(_ prompt: String, with worker: WorkerFixture) async -> JobOffer {
        let offer = worker.offer(prompt)
        await worker.role.receive(.offer(offer))
        await worker.ledger.wait { messages, _ in
            messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
        }
        return offer
    }

    @Test("A job that runs when its agent is replaced is completed by the next one, in the same attempt")
    func replaced() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let offer = await begin(
                "echo 50; echo before; sleep 3; echo x > index.html; echo after; echo I did it", with: worker)
            await worker.leave()
            #expect(worker.ledger.completions.isEmpty, "nothing is said about what is left")
            try await worker.withSuccessor { next in
                var hello = AgentMessage.Hello(
                    agentVersion: "2", roles: [], bootID: "b", leases: [], inventory: [], engines: [])
                await next.role.describe(in: &hello)
                #expect(hello.leases == [offer.lease])
                let completion = await next.ledger.completion(of: offer.lease)
                #expect(completion.lease.attempt == 1)
                #expect(completion.changes?.upserts.map(\.path.text) == ["index.html"], "\(completion)")
                #expect(completion.summary == "I did it")
                #expect(await next.leftovers.isEmpty)
                #expect(next.transfer.moved.fetched.count == 3, "the site was fetched once")
            }
        }
    }

    @Test("The next agent tells the rest of the log, and no line twice")
    func log() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let offer = await begin(
                "echo early; sleep 0.5; echo 50; sleep 3; echo late; echo x > index.html; echo done", with: worker)
            await worker.ledger.wait { messages, _ in
                messages.contains { if case .log(_, let text, _) = $0 { text.contains("early") } else { false } }
            }
            await worker.leave()
            try await worker.withSuccessor { next in
                _ = await next.ledger.completion(of: offer.lease)
                let all = worker.ledger.log + next.ledger.log
                for word in ["early", "late", "done"] {
                    #expect(all.components(separatedBy: word).count == 2, "\(word) in \(all)")
                }
                #expect(next.ledger.log.contains("late") && !next.ledger.log.contains("early"))
            }
        }
    }

    @Test("A job that ended while nobody was there is handed in")
    func endedMeanwhile() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let offer = await begin("echo 50; sleep 1; echo x > index.html; echo ended alone", with: worker)
            await worker.leave()
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: worker.jobs).first.map { worker.jobs + "/" + $0 })
            let deadline = ContinuousClock.now + .seconds(60)
            while !FileManager.default.fileExists(atPath: folder + "/task/result"), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await worker.withSuccessor { next in
                let completion = await next.ledger.completion(of: offer.lease)
                #expect(completion.summary == "ended alone")
                #expect(completion.changes != nil)
            }
        }
    }

    /// Its model says one thing as soon as the way is open.
    private struct SpeakingGate: ModelGate {
        static let answer = """
            event: response.completed
            data: {"type":"response.completed","response":{"usage":{"input_tokens":90,"output_tokens":10}}}


            """

        func withWay<Value: Sendable>(
            to way: ModelWay, for job: JobID, _ body: (_ folder: String) async throws -> Value
        ) async throws -> Value {
            if case .model(_, let witness?, _) = way {
                var reader = witness.answer(to: "/v1/responses", contentType: "text/event-stream")
                reader.read(Array(Self.answer.utf8))
                await reader.finish()
            }
            return try await body("/sockets")
        }
    }

    /// A ``ScriptEngine`` with a model.
    private struct AskingEngine: Engine {
        let name = EngineName.codex
        let followsTraffic = true
        func makeRun(for task: EngineTask) -> EngineRun { ScriptEngine().makeRun(for: task) }
        func makeTranscript(for task: EngineTask) -> any EngineTranscript { ScriptEngine().makeTranscript(for: task) }
    }

    @Test("What the earlier agent saw of a model is handed in with a task that ended while nobody was there")
    func modelMeanwhile() async throws {
        let gate = SpeakingGate()
        try await WorkerFixture.with(engines: [AskingEngine()], shutdown: .leave, gate: gate) { worker in
            let offer = worker.offer(
                "echo 50; sleep 1; echo x > index.html; echo ended alone",
                model: ModelAccess(
                    endpoint: ModelEndpoint(
                        provider: .openAIResponses, baseURL: "https://models.example.org/v1",
                        authorizationName: "authorization", authorizationValue: "Bearer sk-secret"), model: "large-1"))
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            await worker.leave()
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: worker.jobs).first.map { worker.jobs + "/" + $0 })
            let deadline = ContinuousClock.now + .seconds(60)
            while !FileManager.default.fileExists(atPath: folder + "/task/result"), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await worker.withSuccessor(engines: [AskingEngine()], gate: gate) { next in
                let completion = await next.ledger.completion(of: offer.lease)
                #expect(completion.summary == "ended alone")
                #expect(completion.usage == TokenUsage(uncachedInput: 90, cachedInput: 0, output: 10))
                #expect(ModelTraffic(serialized: completion.transcript)?.answers.count == 1)
            }
        }
    }

    @Test("A job that is cancelled after its agent was replaced is dead before that is confirmed")
    func cancelledLater() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let marker = "67\(Int.random(in: 10_000...99_999))"
            let offer = await begin("echo 50; trap '' TERM; (setsid sleep \(marker) &); sleep \(marker)", with: worker)
            await worker.leave()
            #expect(Self.isRunning(marker))
            try await worker.withSuccessor { next in
                await next.role.receive(.cancel(offer.lease))
                #expect(await next.ledger.completion(of: offer.lease).outcome == .cancelled)
                #expect(!Self.isRunning(marker))
                #expect(await next.leftovers.isEmpty)
            }
        }
    }

    @Test("A lease that went to somebody else meanwhile ends the task in silence")
    func lostMeanwhile() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let marker = "68\(Int.random(in: 10_000...99_999))"
            let offer = await begin("echo 50; sleep \(marker)", with: worker)
            await worker.leave()
            try await worker.withSuccessor { next in
                await next.role.receive(.leaseLost(offer.lease))
                #expect(await next.leftovers.isEmpty)
                #expect(!Self.isRunning(marker))
                #expect(next.ledger.completions.isEmpty)
            }
        }
    }

    @Test("A result that is on its way already is not worked on again")
    func handedIn() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            let marker = "69\(Int.random(in: 10_000...99_999))"
            let offer = await begin("echo 50; sleep \(marker)", with: worker)
            await worker.leave()
            try await worker.withSuccessor(handedIn: [offer.lease]) { next in
                #expect(await next.role.leases().isEmpty)
                #expect(await next.leftovers.isEmpty)
                #expect(!Self.isRunning(marker))
            }
        }
    }

    @Test("An engine that the next agent does not have gives its job back")
    func missingEngine() async throws {
        try await WorkerFixture.with(shutdown: .leave) { worker in
            _ = await begin("echo 50; sleep 600", with: worker)
            await worker.leave()
            try await worker.withSuccessor(engines: []) { next in
                #expect(await next.role.leases().isEmpty)
                #expect(await next.leftovers.isEmpty)
            }
        }
    }

    @Test("A job whose shim was killed is tried again elsewhere")
    func killedShim() async throws {
        try await WorkerFixture.with { worker in
            let offer = await begin("echo 50; sleep 600", with: worker)
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: worker.jobs).first.map { worker.jobs + "/" + $0 })
            guard case .running(let task) = try SandboxTask.find(in: folder + "/task") else {
                Issue.record("nothing runs")
                return
            }
            kill(task.process, SIGKILL)
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.failure?.kind == .infrastructure)
            #expect(completion.failure?.code == "sandbox-failed")
        }
    }

    private static func isRunning(_ marker: String) -> Bool {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }.contains {
            FileManager.default.contents(atPath: "/proc/\($0)/cmdline") == Data("sleep\u{0}\(marker)\u{0}".utf8)
        }
    }
}
