import AgentCore
import Domain
import Engines
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// How an attempt comes to its model, and what it keeps of a conversation.
@Suite(.serialized) struct ModelWorkTests {
    /// Leads to a folder, and notes to what it was opened and closed.
    private final class Gate: ModelGate {
        let folder: String
        let notes = Mutex<[String]>([])
        init(folder: String) { self.folder = folder }

        func withWay<Value: Sendable>(
            to way: ModelWay, for job: JobID, _ body: (_ folder: String) async throws -> Value
        ) async throws -> Value {
            switch way {
            case .model(let endpoint, _, _):
                notes.withLock { $0.append("opened to \(endpoint) with \(endpoint.authorizationValue)") }
            case .recorded: notes.withLock { $0.append("opened to a transcript") }
            }
            defer { notes.withLock { $0.append("closed") } }
            return try await body(folder)
        }
    }

    /// Says what it was told, remembers a word in its state folder, and keeps a transcript.
    private struct TellingEngine: Engine {
        let name = EngineName.codex
        let remembered = ["sessions"]

        func makeRun(for task: EngineTask) throws -> EngineRun {
            let script = """
                echo "model=\(task.model?.name ?? "-") socket=\(task.socketFolder ?? "-") replay=\(task.replay.count) \
                memory=\(task.memory?.handle ?? "-") asked=\(task.memory == nil ? task.prompt : task.continuation)" \
                >> told.txt
                cat /state/sessions/a/word >> told.txt 2>/dev/null
                mkdir -p /state/sessions/a /state/other
                echo "remembered" >> /state/sessions/a/word
                echo "no" > /state/other/settings
                env > env.txt
                """
            return EngineRun(
                plan: SandboxPlan(
                    workspace: task.workspace, command: ["/bin/sh", "-c", script],
                    writableBinds: [.init(task.state, at: "/state")], limits: task.limits), input: [])
        }

        func makeTranscript(for task: EngineTask) -> any EngineTranscript { Transcript() }

        struct Transcript: EngineTranscript {
            mutating func read(_ output: SandboxOutput) -> [EngineEvent] { [] }
            func transcriptAfterEnd() -> [UInt8] { Array("said".utf8) }
            func memoryAfterEnd() -> EngineMemory? {
                EngineMemory(handle: "thread-1", usage: TokenUsage(uncachedInput: 1, cachedInput: 2, output: 3))
            }
            mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict { .finished(summary: "\(outcome.ending)") }
        }
    }

    private static let access = ModelAccess(
        endpoint: ModelEndpoint(
            provider: .openAIResponses, baseURL: "https://models.example.org/v1", authorizationName: "authorization",
            authorizationValue: "Bearer sk-secret"), model: "large-1")

    private func told(_ worker: WorkerFixture, _ completion: JobCompletion) async throws -> String {
        let entry = try #require(completion.changes?.upserts.first { $0.path.text == "told.txt" })
        return String(decoding: try await worker.transfer.store.read(entry.digest, limit: 1 << 20), as: UTF8.self)
    }

    @Test("The way to a model is open while the engine runs, and the key is nowhere near it")
    func gate() async throws {
        try await withTemporaryDirectory { folder in
            let gate = Gate(folder: "/sockets/of/this/job")
            try await WorkerFixture.with(engines: [TellingEngine()], gate: gate) { worker in
                let offer = worker.offer("Do it", model: Self.access)
                await worker.role.receive(.offer(offer))
                let completion = await worker.ledger.completion(of: offer.lease)
                let text = try await told(worker, completion)
                #expect(text.contains("model=large-1 socket=/sockets/of/this/job replay=0"))
                #expect(
                    gate.notes.withLock { $0 } == [
                        "opened to openai-responses at https://models.example.org/v1 with Bearer sk-secret", "closed",
                    ])
                #expect(completion.transcript == Array("said".utf8))
                for entry in completion.changes?.upserts ?? [] {
                    let bytes = try await worker.transfer.store.read(entry.digest, limit: 1 << 20)
                    #expect(!String(decoding: bytes, as: UTF8.self).contains("sk-secret"))
                }
                #expect(!worker.ledger.log.contains("sk-secret"))
            }
        }
    }

    @Test("A replay opens no way at all")
    func replay() async throws {
        let gate = Gate(folder: "/sockets")
        try await WorkerFixture.with(engines: [TellingEngine()], gate: gate) { worker in
            let offer = worker.offer("Do it", model: Self.access, replay: [1, 2, 3])
            await worker.role.receive(.offer(offer))
            let text = try await told(worker, await worker.ledger.completion(of: offer.lease))
            #expect(text.contains("socket=- replay=3"))
            #expect(gate.notes.withLock { $0 }.isEmpty)
        }
    }

    @Test("A conversation goes on where it was: what belongs to it comes back, and nothing else")
    func memory() async throws {
        try await withTemporaryDirectory { folder in
            try await WorkerFixture.with(engines: [TellingEngine()], memory: folder + "/conversations") { worker in
                func run(_ conversation: String) async throws -> String {
                    let offer = worker.offer("The whole story", conversation: conversation, continuation: "Go on")
                    await worker.role.receive(.offer(offer))
                    return try await told(worker, await worker.ledger.completion(of: offer.lease))
                }
                let first = try await run("conv_1")
                #expect(first.contains("memory=- asked=The whole story") && !first.contains("remembered"))
                let second = try await run("conv_1")
                #expect(second.contains("memory=thread-1 asked=Go on") && second.contains("remembered"))
                let other = try await run("conv_2")
                #expect(other.contains("memory=-") && !other.contains("remembered"))
                let kept = try FileManager.default.contentsOfDirectory(atPath: folder + "/conversations")
                #expect(Set(kept) == ["conv_1.codex", "conv_2.codex"])
            }
        }
    }

    @Test("What a task planted in its state is not kept: links and settings stay behind")
    func plantedState() async throws {
        try await withTemporaryDirectory { folder in
            let store = ConversationMemory(directory: folder + "/conversations")
            let state = folder + "/state"
            try FileManager.default.createDirectory(atPath: state + "/sessions", withIntermediateDirectories: true)
            try "word".write(toFile: state + "/sessions/word", atomically: true, encoding: .utf8)
            try "no".write(toFile: state + "/settings.json", atomically: true, encoding: .utf8)
            let memory = EngineMemory(handle: "h", usage: TokenUsage(uncachedInput: 1, cachedInput: 2, output: 3))
            try store.save(memory, folders: ["sessions"], of: state, as: "conv_1", of: .codex)
            let restored = folder + "/restored"
            try FileManager.default.createDirectory(atPath: restored, withIntermediateDirectories: true)
            #expect(try store.restore("conv_1", of: .codex, into: restored) == memory)
            #expect(
                try FileManager.default.subpathsOfDirectory(atPath: restored).sorted() == ["sessions", "sessions/word"])
            #expect(try store.restore("conv_1", of: .claude, into: restored) == nil)
            #expect(try store.restore("../conv_1", of: .codex, into: restored) == nil)

            try FileManager.default.createSymbolicLink(
                atPath: state + "/sessions/link", withDestinationPath: "/etc/passwd")
            try store.save(memory, folders: ["sessions"], of: state, as: "conv_1", of: .codex)
            #expect(
                try store.restore("conv_1", of: .codex, into: folder + "/restored") == nil, "all of it is forgotten")
        }
    }

    @Test("An engine without a model fails with a sentence for an administrator")
    func notConfigured() async throws {
        try await WorkerFixture.with(engines: [ModelEngine(program: "/nowhere")]) { worker in
            let completion = await worker.run("Do it", engine: .model)
            #expect(completion.failure?.code == "engine-misconfigured")
            #expect(completion.failure?.kind == .task)
        }
    }
}
