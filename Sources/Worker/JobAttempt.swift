import AgentCore
import Artifacts
import BlockingIO
import Domain
import Engines
import Faults
import Logging
import Sandbox

/// One attempt at one job, from an accepted offer to what is to be said about it.
struct JobAttempt: Sendable {
    /// What is left to do at the end.
    enum Ending: Sendable {
        case complete(JobCompletion)
        /// The lease belongs to somebody else.
        case silent
        /// The next agent goes on with it.
        case left
    }

    /// What attempts share.
    struct Workshop: Sendable {
        /// `nil` when this host can build no sandbox now; what runs already can be waited for.
        let runner: SandboxRunner?
        let store: DirectoryBlobStore
        let transfer: any BlobTransfer
        let pool: BlockingPool
        let logger: Logger
        /// `nil` when this worker has no way to a model but an engine's own.
        var gate: (any ModelGate)?
        /// `nil` when engines remember nothing here.
        var memory: ConversationMemory?
        /// What a browser sees of changed pages comes after the result; `nil` when nobody asks for that.
        var inspector: PageInspector?
    }

    let offer: JobOffer
    let engine: any Engine
    let control: AttemptControl
    let reporter: AttemptReporter
    let log: JobLog
    let workspace: Workspace
    let workshop: Workshop
    /// What an earlier agent started for it.
    let found: SandboxTask?
    /// Manifests of versions of the same site that are known already.
    let known: [ContentDigest: Manifest]

    /// Returns when nothing of it runs any more, unless it is left to the next agent.
    @concurrent
    func run() async -> (ending: Ending, manifest: Manifest?) {
        let result = await withTaskGroup(of: WorkResult?.self) { group in
            group.addTask { await work() }
            group.addTask {
                await control.waitForStop()
                return nil
            }
            group.addTask {
                await reporter.run()
                return nil
            }
            var result: WorkResult?
            while let next = await group.next() {
                result = next ?? result
                // The work has ended or is to end; it returns soon when cancelled.
                group.cancelAll()
            }
            return result ?? WorkResult(outcome: .failed(.interrupted))
        }
        reporter.finish()
        if control.isLeft { return (.left, nil) }
        guard let outcome = AttemptStop.outcome(of: result.outcome, stoppedBy: control.reason) else {
            return (.silent, nil)
        }
        let completion = JobCompletion(
            lease: offer.lease, outcome: outcome, summary: result.summary, usage: result.usage,
            transcript: result.transcript, steps: reporter.steps, look: result.look)
        return (.complete(completion), result.manifest)
    }

    /// Deletes its folder. Comes after its result was handed in: an agent that is killed in between tries again.
    func cleanUp() async {
        let (workspace, logger, job) = (workspace, workshop.logger, offer.lease.job)
        await workshop.pool.runEvenIfCancelled {
            do {
                try workspace.remove()
            } catch {
                logger.warning(
                    "Could not delete the folder of a job", metadata: ["job.id": "\(job)", "error": "\(error)"])
            }
        }
    }

    private struct WorkResult: Sendable {
        var outcome: JobCompletion.Outcome
        var summary = ""
        var usage = TokenUsage.zero
        var transcript: [UInt8] = []
        var manifest: Manifest?
        var look = JobCompletion.Look.none
    }

    @concurrent
    private func work() async -> WorkResult {
        var result = WorkResult(outcome: .failed(.interrupted))
        do {
            FaultPoint.jobAccepted.reach()
            if offer.kind == .look { return try await prepareLook() }
            let base = try await prepare()
            FaultPoint.workspaceReady.reach()
            let run = try await runEngine(on: base)
            FaultPoint.engineEnded.reach()
            result.usage = run.usage
            result.transcript = run.transcript
            switch run.verdict {
            case .failed(let failure):
                result.outcome = .failed(failure)
            case .finished(let summary):
                result.summary = summary
                let manifest = try await collect()
                let changes = ManifestDelta(from: base, to: manifest)
                // A generation may end with its plan; whether this one may is for the coordinator to say.
                guard !changes.isEmpty || offer.generation != nil else {
                    result.outcome = .failed(.nothingChanged(summary: summary))
                    return result
                }
                try await upload(changes, of: manifest)
                FaultPoint.resultUploaded.reach()
                result.outcome = .succeeded(changes: changes, digest: manifest.digest)
                result.manifest = manifest
                guard let inspector = workshop.inspector, offer.kind != .replay, !changes.isEmpty else { return result }
                result.look = inspector.announcement(of: changes, of: manifest, by: workshop.runner)
            }
        } catch {
            guard !control.isLeft else { return result }
            let failure = JobFailure(during: error)
            workshop.logger.warning(
                "An attempt failed",
                metadata: ["job.id": "\(offer.lease.job)", "failure.code": "\(failure.code)", "error": "\(error)"])
            reporter.write(failure.message)
            result.outcome = .failed(failure)
        }
        return result
    }

    // MARK: Steps

    /// Brings the base version here, for the browser that looks at it after this job.
    private func prepareLook() async throws -> WorkResult {
        let base = try await fetch()
        var result = WorkResult(
            outcome: .succeeded(changes: ManifestDelta(upserts: [], removals: []), digest: base.digest))
        result.manifest = base
        result.look =
            workshop.inspector?.announcement(by: workshop.runner) ?? .impossible("this worker looks at no pages")
        return result
    }

    /// Brings the base version into the workspace.
    private func prepare() async throws -> Manifest {
        let base = try await fetch()
        // What an earlier agent laid out is being worked on.
        if found != nil { return base }
        reporter.progress("Preparing the workspace", 8)
        let workspace = workspace
        let store = workshop.store
        let control = control
        do {
            try await workshop.pool.run {
                try workspace.place(base.entries, from: store) { control.reason != nil }
            }
        } catch let damaged as DamagedBlob {
            // The next attempt fetches it again.
            try? await store.unlink(damaged.digest)
            throw damaged
        }
        return base
    }

    /// Brings the base version into the store.
    private func fetch() async throws -> Manifest {
        reporter.progress("Fetching the site", 1)
        let access = BlobAccess.lease(offer.lease)
        let base = try await fetchBase(access)
        // What an earlier agent laid out is being worked on.
        if found != nil { return base }
        let digests = Array(Set(base.entries.map(\.digest)))
        let missing = try await workshop.store.missing(among: digests)
        if !missing.isEmpty {
            let fetched = try await whileUnavailable {
                try await workshop.transfer.fetch(missing, for: access, into: workshop.store)
            }
            reporter.write("Fetched \(fetched.files) files, \(fetched.bytes) bytes.")
        }
        return base
    }

    private func fetchBase(_ access: BlobAccess) async throws -> Manifest {
        if let manifest = known[offer.base] { return manifest }
        if let manifest = try? await workshop.store.manifest(offer.base) { return manifest }
        let fetched = try await whileUnavailable {
            try await workshop.transfer.fetchManifest(offer.base, for: access, known: known)
        }
        try await workshop.store.putManifest(fetched.manifest)
        return fetched.manifest
    }

    private func runEngine(on base: Manifest) async throws -> EngineResult {
        reporter.progress(offer.generation == nil ? "Editing" : "Making the site", 10)
        if engine.followsTraffic, !offer.replay.isEmpty { return try await playEngine(on: base) }
        let endpoint = try endpoint()
        // What a task that has ended was told by its model lies where the earlier agent wrote it down.
        let hasEnded = endpoint == nil && found != nil && offer.model != nil && offer.replay.isEmpty
        guard let gate = workshop.gate, endpoint != nil || hasEnded else {
            return try await runEngine(at: nil).result
        }
        let (control, pool, path) = (control, workshop.pool, workspace.traffic)
        let budget = offer.model?.tokenBudget
        // Codex waits for the first word for ever. Who has a limit of their own says more about it, so they come first.
        let silence = offer.model.map { $0.answerTimeout + .seconds(5) }
        let files = engine.runsCommands && offer.generation == nil ? WorkspaceWatch(site: workspace.site) : nil
        let isResumed = found != nil
        let watch = try await pool.run {
            let watch = TrafficWatch(budget: budget, workspace: files, path: path, pool: pool) { control.endTask() }
            if isResumed, let files {
                watch.note(effects: files.begin(since: base))
            } else {
                files?.begin()
            }
            return watch
        }
        let run =
            if let endpoint {
                try await gate.withWay(
                    to: .model(endpoint, watchedBy: watch, silence: silence), for: offer.lease.job
                ) { folder in
                    try await runEngine(at: folder)
                }
            } else {
                try await runEngine(at: nil)
            }
        await watch.lookAtWorkspace()
        let result = run.result
        var verdict = result.verdict
        // A program may take it for an answer without words; what was done before it is no result of a request declined.
        if case .finished = verdict, let refusal = watch.refusal {
            verdict = .failed(.modelRefused(saying: refusal))
            await remember(EngineResult(verdict: verdict, usage: result.usage, transcript: [], memory: nil))
        }
        let traffic = run.wentOn ? engine.selfContained(watch.traffic) : watch.traffic
        return EngineResult(
            verdict: watch.hasRefused ? .failed(.modelBudget) : verdict,
            // A program that was stopped says less than it used, and one that is to blame may say anything.
            usage: watch.usage.total > result.usage.total ? watch.usage : result.usage,
            transcript: engine.followsTraffic && offer.generation == nil ? traffic.serialized : result.transcript,
            memory: result.memory)
    }

    /// Once more, with what the model said then. There is no way to a model.
    private func playEngine(on base: Manifest) async throws -> EngineResult {
        guard let gate = workshop.gate, let traffic = ModelTraffic(serialized: offer.replay) else {
            throw EngineRefusal.unreadableTranscript
        }
        var steps: StepReplay?
        // An agent that came in the middle cannot know what was settled before.
        if found == nil, traffic.answers.contains(where: { $0.effects != nil }) {
            let files = WorkspaceWatch(site: workspace.site)
            try await workshop.pool.run { files.begin() }
            steps = StepReplay(
                watch: files, base: base, store: workshop.store, transfer: workshop.transfer,
                access: .lease(offer.lease), pool: workshop.pool)
        }
        let playback = TrafficPlayback(traffic, steps: steps)
        var result = try await gate.withWay(to: .recorded(playback), for: offer.lease.job) { folder in
            try await runEngine(at: folder).result
        }
        await playback.settle()
        if let steps, case .finished = result.verdict {
            let report = await steps.report
            reporter.write(report)
            result = EngineResult(
                verdict: .finished(summary: report), usage: result.usage, transcript: result.transcript,
                memory: result.memory)
        }
        guard playback.hasRunOut else { return result }
        // An agent that came in the middle cannot know how far the one before had come.
        let failure =
            found == nil
            ? JobFailure(
                kind: .task, code: "replay-diverged",
                message: "The transcript cannot be followed: the engine asks more than it asked then.")
            : JobFailure(kind: .infrastructure, code: "interrupted", message: "The work was interrupted.")
        return EngineResult(verdict: .failed(failure), usage: .zero, transcript: [], memory: nil)
    }

    /// Where the engine may ask; `nil` when it asks nobody, or has ended. An offer that lay on the disk is without its
    /// credential: of a task that runs, its shim has it in its memory.
    private func endpoint() throws -> ModelEndpoint? {
        guard let endpoint = offer.model?.endpoint, offer.replay.isEmpty else { return nil }
        guard endpoint.isWithheld else { return endpoint }
        if let keepsake = found?.keepsake, !keepsake.isEmpty {
            return endpoint.with(authorizationValue: String(decoding: keepsake, as: UTF8.self))
        }
        // Nothing was started yet, and cannot be without the credential: the next attempt gets it again.
        if found == nil { throw CancellationError() }
        return nil
    }

    /// - Parameter socketFolder: where its model answers; `nil` for nowhere.
    /// - Returns: also whether it went on with what it remembers of a conversation.
    private func runEngine(at socketFolder: String?) async throws -> (result: EngineResult, wentOn: Bool) {
        let memory = await recall()
        let task = EngineTask(
            prompt: offer.prompt, workspace: workspace.site, state: workspace.state,
            limits: SandboxLimits(offer.limits), model: offer.model.map { EngineModel($0) },
            socketFolder: socketFolder, replay: offer.replay, memory: memory, continuation: offer.continuation,
            generation: offer.generation)
        let reader = TranscriptReader(engine.makeTranscript(for: task), reporter: reporter, log: log)
        let running = if let found { found } else { try await start(task) }
        control.own(running)
        let control = control
        let outcome = try await running.waitForEnd {
            control.isLeft
        } onOutput: { output, position in
            reader.read(output, position: position)
        }
        try Task.checkCancellation()
        let result = try await workshop.pool.run { reader.judge(outcome) }
        await remember(result)
        return (result, memory != nil)
    }

    // MARK: What the engine remembers

    private var remembers: Bool {
        !offer.conversation.isEmpty && offer.replay.isEmpty && !engine.remembered.isEmpty
    }

    /// Brings back what the engine knows of the conversation; it begins anew when that cannot be had.
    private func recall() async -> EngineMemory? {
        guard remembers, let store = workshop.memory else { return nil }
        let (conversation, engine, state) = (offer.conversation, engine.name, workspace.state)
        do {
            let isRunning = found != nil
            return try await workshop.pool.run {
                // What runs already has its files.
                isRunning
                    ? try store.memory(of: conversation, engine)
                    : try store.restore(conversation, of: engine, into: state)
            }
        } catch {
            workshop.logger.warning(
                "Could not restore what an engine remembers",
                metadata: ["job.id": "\(offer.lease.job)", "error": "\(error)"])
            return nil
        }
    }

    /// Keeps it for the next edit. After a failure the engine and the site may disagree about what was done: then it is
    /// forgotten.
    private func remember(_ result: EngineResult) async {
        guard remembers, let store = workshop.memory else { return }
        let (conversation, engine, state) = (offer.conversation, engine, workspace.state)
        do {
            try await workshop.pool.run {
                if case .finished = result.verdict, let memory = result.memory {
                    try store.save(
                        memory, folders: engine.remembered, of: state, as: conversation, of: engine.name)
                } else {
                    try store.forget(conversation, of: engine.name)
                }
            }
        } catch {
            workshop.logger.warning(
                "Could not keep what an engine remembers",
                metadata: ["job.id": "\(offer.lease.job)", "error": "\(error)"])
        }
    }

    private func start(_ task: EngineTask) async throws -> SandboxTask {
        guard let runner = workshop.runner else { throw SandboxError.cannotStart("this host can build no sandbox now") }
        let engine = engine
        let run = try await workshop.pool.run { try engine.makeRun(for: task) }
        try Task.checkCancellation()
        let started = try await runner.start(
            run.plan, input: run.input, in: workspace.task, lease: control.remaining,
            keepsake: Array((offer.model?.endpoint.authorizationValue ?? "").utf8))
        FaultPoint.taskStarted.reach()
        return started
    }

    private func collect() async throws -> Manifest {
        reporter.progress("Collecting the changes", 86)
        let site = workspace.site
        let control = control
        return try await workshop.pool.run { try WorkspaceCollector.collect(site) { control.reason != nil } }
    }

    /// Sends the changed files that the coordinator does not have.
    private func upload(_ changes: ManifestDelta, of manifest: Manifest) async throws {
        reporter.progress("Sending the changes", 92)
        let access = BlobAccess.lease(offer.lease)
        let digests = Array(Set(changes.upserts.map(\.digest)))
        if !digests.isEmpty {
            try await keep(changes.upserts)
            let missing = try await whileUnavailable {
                try await workshop.transfer.findMissing(digests, for: access)
            }
            if !missing.isEmpty {
                _ = try await whileUnavailable {
                    try await workshop.transfer.upload(missing, from: workshop.store, for: access)
                }
            }
        }
        try await workshop.store.putManifest(manifest)
        reporter.progress("Handing in the result", 98)
    }

    /// Puts changed files into the local store, where uploads and the next job of the site find them.
    private func keep(_ entries: [Manifest.Entry]) async throws {
        let absent = Set(try await workshop.store.missing(among: entries.map(\.digest)))
        guard !absent.isEmpty else { return }
        let batch = try await workshop.store.makeBatch()
        do {
            var done: Set<ContentDigest> = []
            for entry in entries where absent.contains(entry.digest) && done.insert(entry.digest).inserted {
                try await WorkspaceFile.copy(entry, from: workspace, into: batch, pool: workshop.pool)
            }
            try await batch.commit()
        } catch {
            await batch.discard()
            throw error
        }
    }

    /// Tries again while the coordinator is away; the lease's deadline ends it.
    private func whileUnavailable<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var delay = Duration.milliseconds(250)
        while true {
            do {
                return try await body()
            } catch let error as ServiceError where error.code == .unavailable {
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(4))
            }
        }
    }
}
