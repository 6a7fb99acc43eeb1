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
    }

    /// What attempts share.
    struct Workshop: Sendable {
        let directory: String
        let runner: SandboxRunner
        let store: DirectoryBlobStore
        let transfer: any BlobTransfer
        let pool: BlockingPool
        let logger: Logger
    }

    let offer: JobOffer
    let engine: any Engine
    let control: AttemptControl
    let reporter: AttemptReporter
    let workspace: Workspace
    let workshop: Workshop
    /// Manifests of versions of the same site that are known already.
    let known: [ContentDigest: Manifest]

    /// Returns when nothing of it runs any more and its folder is gone.
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
        let workspace = workspace
        do {
            try await workshop.pool.run { try workspace.remove() }
        } catch {
            workshop.logger.warning(
                "Could not delete the folder of a job", metadata: ["job.id": "\(offer.lease.job)", "error": "\(error)"])
        }
        guard let outcome = AttemptStop.outcome(of: result.outcome, stoppedBy: control.reason) else {
            return (.silent, nil)
        }
        let completion = JobCompletion(
            lease: offer.lease, outcome: outcome, summary: result.summary, usage: result.usage, steps: reporter.steps)
        return (.complete(completion), result.manifest)
    }

    private struct WorkResult: Sendable {
        var outcome: JobCompletion.Outcome
        var summary = ""
        var usage = TokenUsage.zero
        var manifest: Manifest?
    }

    @concurrent
    private func work() async -> WorkResult {
        var result = WorkResult(outcome: .failed(.interrupted))
        do {
            FaultPoint.jobAccepted.reach()
            let base = try await prepare()
            FaultPoint.workspaceReady.reach()
            let run = try await runEngine()
            FaultPoint.engineEnded.reach()
            result.usage = run.usage
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
            }
        } catch {
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

    /// Brings the base version into the workspace.
    private func prepare() async throws -> Manifest {
        reporter.progress("Fetching the site", 1)
        let access = BlobAccess.lease(offer.lease)
        let base = try await fetchBase(access)
        let digests = Array(Set(base.entries.map(\.digest)))
        let missing = try await workshop.store.missing(among: digests)
        if !missing.isEmpty {
            let fetched = try await whileUnavailable {
                try await workshop.transfer.fetch(missing, for: access, into: workshop.store)
            }
            reporter.write("Fetched \(fetched.files) files, \(fetched.bytes) bytes.")
        }
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

    private func fetchBase(_ access: BlobAccess) async throws -> Manifest {
        if let manifest = known[offer.base] { return manifest }
        if let manifest = try? await workshop.store.manifest(offer.base) { return manifest }
        let fetched = try await whileUnavailable {
            try await workshop.transfer.fetchManifest(offer.base, for: access, known: known)
        }
        try await workshop.store.putManifest(fetched.manifest)
        return fetched.manifest
    }

    private func runEngine() async throws -> (verdict: EngineVerdict, usage: TokenUsage) {
        reporter.progress(offer.generation == nil ? "Editing" : "Making the site", 10)
        let task = EngineTask(
            prompt: offer.prompt, workspace: workspace.site, state: workspace.state,
            limits: SandboxLimits(offer.limits), generation: offer.generation)
        let engine = engine
        let run = try await workshop.pool.run { try engine.makeRun(for: task) }
        let reader = TranscriptReader(engine.makeTranscript(for: task), reporter: reporter)
        let outcome = try await workshop.runner.run(run.plan, input: run.input) { reader.read($0) }
        try Task.checkCancellation()
        return try await workshop.pool.run { reader.judge(outcome) }
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
