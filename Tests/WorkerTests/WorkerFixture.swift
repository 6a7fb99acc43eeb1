import AgentCore
import Artifacts
import BlockingIO
import Domain
import Engines
import Foundation
import Logging
import Sandbox
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Worker

/// A coordinator's side of the blob service: a second store, and a count of what moved.
final class StoreTransfer: BlobTransfer {
    struct Moved: Equatable {
        var fetched: [ContentDigest] = []
        var uploaded: [ContentDigest] = []
        var accesses: Int = 0
    }

    let store: DirectoryBlobStore
    private let state = Mutex((moved: Moved(), failures: 0, takesLooks: true, looks: 0))

    init(store: DirectoryBlobStore) { self.store = store }

    var moved: Moved { state.withLock { $0.moved } }

    /// How often a call was about a look at pages.
    var looks: Int { state.withLock { $0.looks } }

    /// From now on no version is waited for to be looked at.
    func refuseLooks() { state.withLock { $0.takesLooks = false } }

    /// The next `count` calls find nobody.
    func failNext(_ count: Int) { state.withLock { $0.failures = count } }

    private func enter(_ access: BlobAccess) throws {
        if case .site = access { throw ServiceError(.permissionDenied, "a worker has leases only") }
        try state.withLock {
            if case .checks = access {
                guard $0.takesLooks else {
                    throw ServiceError(.permissionDenied, "no report is waited for", rule: "blob-access")
                }
                $0.looks += 1
            }
            $0.moved.accesses += 1
            if $0.failures > 0 {
                $0.failures -= 1
                throw ServiceError(.unavailable, "nobody is there")
            }
        }
    }

    func fetchManifest(_ digest: ContentDigest, for access: BlobAccess, known: [ContentDigest: Manifest]) async throws
        -> FetchedManifest
    {
        try enter(access)
        return FetchedManifest(manifest: try await store.manifest(digest), wireBytes: 1)
    }

    func fetch(_ digests: [ContentDigest], for access: BlobAccess, into target: any BlobStore) async throws
        -> TransferSummary
    {
        try enter(access)
        return try await copy(digests, from: store, to: target) { $0.fetched += digests }
    }

    func findMissing(_ digests: [ContentDigest], for access: BlobAccess) async throws -> [ContentDigest] {
        try enter(access)
        return try await store.missing(among: digests)
    }

    func upload(_ digests: [ContentDigest], from source: any BlobStore, for access: BlobAccess) async throws
        -> TransferSummary
    {
        try enter(access)
        return try await copy(digests, from: source, to: store) { $0.uploaded += digests }
    }

    private func copy(
        _ digests: [ContentDigest], from source: any BlobStore, to target: any BlobStore, note: (inout Moved) -> Void
    ) async throws -> TransferSummary {
        var bytes: Int64 = 0
        for digest in digests {
            let content = try await source.read(digest, limit: 1 << 30)
            try await target.put(content)
            bytes += Int64(content.count)
        }
        state.withLock { note(&$0.moved) }
        return TransferSummary(files: digests.count, bytes: bytes)
    }
}

/// Takes frames and completions, and lets a test wait for one.
final class Ledger: AgentOutbox, CompletionSpooling {
    private struct State {
        var messages: [AgentMessage] = []
        var completions: [JobCompletion] = []
        var waiters:
            [(
                isMet: @Sendable ([AgentMessage], [JobCompletion]) -> Bool,
                continuation: CheckedContinuation<Void, Never>
            )] = []
    }

    private let state = Mutex(State())

    var messages: [AgentMessage] { state.withLock { $0.messages } }
    var completions: [JobCompletion] { state.withLock { $0.completions } }
    var log: String { messages.compactMap { if case .log(_, let text, _) = $0 { text } else { nil } }.joined() }
    var percents: [Int] { messages.compactMap { if case .progress(_, _, let percent) = $0 { percent } else { nil } } }
    var credits: [Int] { messages.compactMap { if case .credit(let slots) = $0 { slots } else { nil } } }

    func send(_ message: AgentMessage) -> Bool {
        note { $0.messages.append(message) }
        return true
    }

    func submit(_ completion: JobCompletion) async throws { note { $0.completions.append(completion) } }

    private func note(_ change: (inout State) -> Void) {
        let met = state.withLock { state in
            change(&state)
            let met = state.waiters.filter { $0.isMet(state.messages, state.completions) }
            state.waiters.removeAll { $0.isMet(state.messages, state.completions) }
            return met
        }
        for waiter in met { waiter.continuation.resume() }
    }

    func wait(until isMet: @escaping @Sendable ([AgentMessage], [JobCompletion]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMetAlready = state.withLock { state in
                if isMet(state.messages, state.completions) { return true }
                state.waiters.append((isMet, continuation))
                return false
            }
            if isMetAlready { continuation.resume() }
        }
    }

    func completion(of lease: JobLease) async -> JobCompletion {
        await wait { _, completions in completions.contains { $0.lease == lease } }
        return completions.first { $0.lease == lease }!
    }
}

/// An engine that is a shell script; what it prints is its log, its last line the summary.
struct ScriptEngine: Engine {
    let name = EngineName.codex
    func makeRun(for task: EngineTask) -> EngineRun {
        EngineRun(
            plan: SandboxPlan(workspace: task.workspace, command: ["/bin/sh", "-c", task.prompt], limits: task.limits),
            input: [])
    }
    func makeTranscript(for task: EngineTask) -> any EngineTranscript { Transcript() }

    struct Transcript: EngineTranscript {
        var last = ""
        mutating func read(_ output: SandboxOutput) -> [EngineEvent] {
            guard case .line(let line) = output else { return [] }
            last = line
            if let percent = Int(line) { return [.progress(step: "Step \(percent)", percent: percent)] }
            return [.log(line)]
        }
        mutating func judge(_ outcome: SandboxOutcome) -> EngineVerdict {
            switch outcome.ending {
            case .exited(code: 0): .finished(summary: last)
            default:
                .failed(
                    JobFailure(kind: .task, code: "script-failed", message: "\(outcome.ending) \(outcome.diagnostics)"))
            }
        }
    }
}

/// A worker with a coordinator's store, a site in it, and a session.
struct WorkerFixture {
    let role: WorkerRole
    let services: ServiceGroup
    let ledger: Ledger
    let transfer: StoreTransfer
    let base: Manifest
    let jobs: String
    let store: DirectoryBlobStore
    let pool: BlockingPool

    static let files = [
        "index.html": "<h1>Hello</h1>\n", "style.css": "h1 {}\n", "pages/about.html": "<h1>About</h1>\n",
    ]

    static func with(
        slots: Int = 2, engines: [any Engine] = [ScriptEngine()], files: [String: String] = files,
        shutdown: WorkerRole.Configuration.Shutdown = .end(grace: .seconds(10)), gate: (any ModelGate)? = nil,
        memory: String? = nil, logger: Logger? = nil,
        inspector: PageInspector? = nil, reporting: (any CheckReporting)? = nil,
        prepare: (String) throws -> Void = { _ in },
        _ body: (WorkerFixture) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 4)
            let central = try await DirectoryBlobStore(directory: folder + "/central", pool: pool)
            let local = try await DirectoryBlobStore(directory: folder + "/local", pool: pool)
            var entries: [Manifest.Entry] = []
            for (path, text) in files {
                let digest = try await central.put(Array(text.utf8))
                entries.append(.init(path: try SitePath(path), sizeInBytes: Int64(text.utf8.count), digest: digest))
            }
            let base = try Manifest(entries)
            try await central.putManifest(base)
            let jobs = folder + "/jobs"
            try prepare(jobs)
            let ledger = Ledger()
            let quiet = logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let transfer = StoreTransfer(store: central)
            let role = WorkerRole(
                configuration: .init(
                    slots: slots, directory: jobs, shutdown: shutdown, memoryDirectory: memory, inspector: inspector),
                engines: engines,
                readiness: .ready(try SandboxRunner()), store: local, transfer: transfer, spool: ledger, pool: pool,
                gate: gate, reporting: reporting, logger: quiet)
            let services = ServiceGroup(services: [role], logger: quiet)
            let fixture = WorkerFixture(
                role: role, services: services, ledger: ledger, transfer: transfer, base: base, jobs: jobs,
                store: local,
                pool: pool
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                await fixture.openSession()
                await ledger.wait { messages, _ in messages.contains(.credit(slots: slots)) }
                try await body(fixture)
                group.cancelAll()
            }
        }
    }

    /// Runs `body` with the agent that comes after this one, on the same folders. This one must have ended.
    func withSuccessor(
        engines: [any Engine] = [ScriptEngine()], handedIn: [JobLease] = [], gate: (any ModelGate)? = nil,
        _ body: (WorkerFixture) async throws -> Void
    ) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ledger = Ledger()
        let role = WorkerRole(
            configuration: .init(slots: 2, directory: jobs, shutdown: .end(grace: .seconds(10))), engines: engines,
            readiness: .ready(try SandboxRunner()), store: store, transfer: transfer, spool: ledger, pool: pool,
            gate: gate, logger: quiet)
        try await role.restore(handedIn: handedIn)
        let services = ServiceGroup(services: [role], logger: quiet)
        let successor = WorkerFixture(
            role: role, services: services, ledger: ledger, transfer: transfer, base: base, jobs: jobs, store: store,
            pool: pool)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            await successor.openSession()
            try await body(successor)
            group.cancelAll()
        }
    }

    /// Stops this agent as an upgrade would, and returns when it has ended.
    func leave() async {
        await services.triggerGracefulShutdown()
        let deadline = ContinuousClock.now + .seconds(60)
        while await !role.leases().isEmpty, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func openSession() async {
        await role.sessionOpened(
            .init(
                sessionEpoch: 1, heartbeatInterval: .seconds(10), leaseDuration: .seconds(60), coordinatorVersion: "1",
                versionKeys: []),
            outbox: ledger)
    }

    func offer(
        _ prompt: String, engine: EngineName = .codex, attempt: Int = 1, job: JobID? = nil,
        leaseDuration: Duration = .seconds(600), limits: JobOffer.Limits = .init(wallTime: .seconds(60)),
        model: ModelAccess? = nil, replay: [UInt8] = [], conversation: String = "", continuation: String = "",
        kind: Job.Kind = .edit, lookPages: [SitePath] = []
    ) -> JobOffer {
        var generator = SystemRandomNumberGenerator()
        let now = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)
        return JobOffer(
            lease: JobLease(
                job: job ?? JobID(at: now), attempt: attempt, token: LeaseToken(using: &generator),
                fence: Fence(rawValue: 7)),
            site: SiteID(at: now), kind: kind, leaseDuration: leaseDuration, base: base.digest, engine: engine,
            prompt: prompt, limits: limits, model: model, replay: replay, conversation: conversation,
            continuation: continuation, lookPages: lookPages)
    }

    func run(_ prompt: String, engine: EngineName = .codex, limits: JobOffer.Limits = .init(wallTime: .seconds(60)))
        async -> JobCompletion
    {
        let offer = offer(prompt, engine: engine, limits: limits)
        await role.receive(.offer(offer))
        return await ledger.completion(of: offer.lease)
    }

    /// What is left below the jobs' folder, once nothing is or half a minute has passed: folders go after results.
    var leftovers: [String] {
        get async {
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: jobs)) ?? []
                if names.isEmpty || ContinuousClock.now > deadline { return names }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

extension JobCompletion {
    var failure: JobFailure? { if case .failed(let failure) = outcome { failure } else { nil } }
    var changes: ManifestDelta? { if case .succeeded(let changes, _) = outcome { changes } else { nil } }
}
