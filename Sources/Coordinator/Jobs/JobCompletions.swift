package import Artifacts
package import Database
package import Domain
import Faults
package import Logging
import Metrics
package import Persistence
import Telemetry

/// Takes the results of workers. A result takes effect at most once, and only under the lease that is held now.
package struct JobCompletions: Sendable {
    /// What the checks made of a result.
    private enum Result: Sendable {
        case version(CheckedContent, parent: VersionNumber, edit: Edit)
        /// `refused` is what the change was, when the checks refused it.
        case failure(JobFailure, findings: [Finding], refused: ChangeReview? = nil)
        /// Of a plan: the files that it would touch.
        case answer(edit: Edit, files: [String])
        /// A replay came to this version again.
        case replayed(VersionNumber)
        /// A browser looks at pages of this version from now on.
        case looking(VersionNumber)
        /// A generation that ends with its plan: the site stays as it is, at this version.
        case plan(VersionNumber)
        case cancelled
    }

    private let database: any SQLDatabase
    /// For results without content: those of different sites go together.
    private let grouped: GroupedDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let recorder: VersionRecorder
    private let ready: ReadyJobs
    private let desiredState: DesiredState
    private let generations: GenerationLedger
    private let feed: EventFeed
    private let ended: EndedAttempts
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, grouped: GroupedDatabase, stores: Stores, blobs: any BlobStore,
        manifests: ManifestCache,
        recorder: VersionRecorder, ready: ReadyJobs, desiredState: DesiredState, generations: GenerationLedger,
        feed: EventFeed, ended: EndedAttempts, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.grouped = grouped
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.recorder = recorder
        self.ready = ready
        self.desiredState = desiredState
        self.generations = generations
        self.feed = feed
        self.ended = ended
        self.clock = clock
        self.logger = logger
    }

    /// Checks everything again, then records the outcome in one transaction that compares attempt, token and fence.
    package func complete(_ completion: JobCompletion, from host: HostID) async throws -> CompletionVerdict {
        try await complete(completion, from: host, in: nil)
    }

    /// The same for what came in a session; throws ``SupersededSession`` when that is not the host's newest.
    func complete(
        _ completion: JobCompletion, from host: HostID, in epoch: Int64?
    ) async throws -> CompletionVerdict {
        let verdict = try await decide(completion, from: host, in: epoch)
        MetricsSystem.factory.increment(.completions, verdict.rawValue)
        if verdict == .stale { MetricsSystem.factory.increment(.staleWrites, "completion") }
        return verdict
    }

    private func decide(
        _ completion: JobCompletion, from host: HostID, in epoch: Int64?
    ) async throws -> CompletionVerdict {
        let lease = completion.lease
        let applied: (job: Job, next: [Job])?
        if let result = Self.plainResult(of: completion), let site = ready.sites.known([lease.job])[lease.job] {
            // Nothing is to be checked first: the one transaction decides.
            FaultPoint.completionReceived.reach()
            applied = try await apply(result, of: completion, to: site, from: host, in: epoch)
        } else {
            let (found, member) = try await database.answers(stores.jobs.find(lease.job), stores.hosts.find(host))
            if let epoch { try SupersededSession.check(epoch, of: member) }
            guard let current = found else { return .stale }
            if let verdict = current.job.verdict(on: lease, from: host) { return verdict }
            FaultPoint.completionReceived.reach()
            let result = try await result(of: completion)
            if case .version(let content, let parent, let edit) = result {
                applied = try await recorder.recording(content) {
                    try await apply(
                        .version($0, parent: parent, edit: edit), of: completion, to: current.job.site, from: host,
                        in: epoch)
                }
            } else {
                applied = try await apply(result, of: completion, to: current.job.site, from: host, in: epoch)
            }
        }
        FaultPoint.afterCompletionCommit.reach()
        guard let applied else {
            let record = try await database.answer(stores.jobs.find(lease.job))
            return record?.job.verdict(on: lease, from: host) ?? .stale
        }
        ended.note(lease, of: host, at: clock.now())
        publish(applied.job)
        feed.announce()
        desiredState.advance()
        if case .ready = applied.job.state {
            // The machinery broke: what is wrong may need a moment.
            var delay = Duration.seconds(1) * min(30, applied.job.losses)
            if case .failed(let failure) = completion.outcome {
                delay = failure.retryDelay(losses: applied.job.losses)
            }
            await ready.announce(applied.job, delay: delay)
        }
        for next in applied.next { await ready.announce(next) }
        logger.notice(
            "Finished attempt",
            metadata: [
                "job.id": "\(lease.job)", "attempt": "\(lease.attempt)", "state": "\(applied.job.stateName.rawValue)",
            ])
        return .applied
    }

    /// What a result is that has no content and answers no plan; `nil` for others.
    private static func plainResult(of completion: JobCompletion) -> Result? {
        switch completion.outcome {
        case .cancelled: .cancelled
        case .failed(let failure): failure.code == "nothing-changed" ? nil : .failure(failure, findings: [])
        case .succeeded: nil
        }
    }

    /// Throws unless every file is as long as the worker says. A store in the network is asked for several at once.
    private func requireSizes(of entries: [Manifest.Entry]) async throws {
        let blobs = blobs
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, entry) in entries.enumerated() {
                if number >= 16 { try await group.next() }
                group.addTask {
                    guard try await blobs.sizeInBytes(of: entry.digest) == entry.sizeInBytes else {
                        throw ServiceError(
                            .validationFailed, "the file \"\(entry.path)\" does not have the size that the worker says",
                            rule: "manifest-size")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func apply(
        _ result: Result, of completion: JobCompletion, to siteID: SiteID, from host: HostID, in epoch: Int64?
    ) async throws -> (job: Job, next: [Job])? {
        let lease = completion.lease
        let now = clock.now()
        // Beside those of other sites: all that is decided here is of this one.
        // A version is many rows; the others do not wait for it.
        var shared: any SQLDatabase = grouped
        if case .version = result { shared = database }
        return try await shared.withTransaction(on: .only([siteID.text])) {
            transaction -> (job: Job, next: [Job])? in
            // The site first, then the job: the order of locks everywhere.
            let (foundSite, foundJob, asked, member, active, line) = try await transaction.answers(
                stores.sites.find(siteID), stores.jobs.find(lease.job), stores.edits.find(job: lease.job),
                stores.hosts.find(host), stores.jobs.active(of: siteID),
                stores.jobs.firstQueued(of: siteID, limit: 2))
            if let epoch { try SupersededSession.check(epoch, of: member) }
            guard var site = foundSite, var record = foundJob, site.admits(lease, of: host, on: record.job) else {
                return nil
            }
            record.summary = String(completion.summary.prefix(4000))
            let before = record
            let accounting = EngineAccounting(stores: stores)
            let used = record.isFromCache ? .zero : completion.usage
            record.usage = record.usage + used
            switch result {
            case .version(let content, let parent, let edit):
                let version = try await recorder.record(
                    content, on: &site, parent: parent,
                    origin: .edit(edit.id, job: record.job.id, engine: edit.engine), author: edit.author,
                    summary: completion.summary,
                    // What somebody put into the preview meanwhile stays there; this version can be picked.
                    showsPreview: edit.showsPreview && (edit.isBaseChosen || (site.preview ?? site.live) == parent),
                    at: now, in: transaction)
                record.findings = content.warnings
                try await PageCheckOpening(stores: stores).note(
                    completion.look, at: version, by: lease, of: host, at: now, in: transaction)
                if let scope = content.scope {
                    try await stores.reviews.save(
                        ChangeReview(
                            job: record.job.id, site: site.id, digest: content.digest, scope: scope,
                            summary: record.summary, version: version.number, createdAt: now), in: transaction)
                }
                try record.job.succeed(lease, with: version.number, at: now)
            case .plan(let base):
                try record.job.succeed(lease, with: base, at: now)
            case .failure(let failure, let findings, let refused):
                record.findings = findings
                if let refused { try await stores.reviews.save(refused, in: transaction) }
                let judged = try await accounting.judge(
                    failure, of: &record, edit: asked, usage: used, at: now, in: transaction)
                try record.job.fail(lease, with: judged, at: now)
            case .answer(let edit, let files):
                try await stores.edits.setPlannedFiles(files, of: edit.id, in: transaction)
                try record.job.answer(lease, at: now)
            case .replayed(let version):
                try record.job.succeed(lease, with: version, at: now)
            case .looking(let version):
                try await PageCheckOpening(stores: stores).look(
                    at: version, of: site.id, by: lease, of: host, at: now, in: transaction)
                try record.job.succeed(lease, with: version, at: now)
            case .cancelled:
                try record.job.confirmCancelled(lease, at: now)
            }
            try await accounting.close(
                record, before: before, edit: asked, usage: used, transcript: completion.transcript, at: now,
                in: transaction)
            try await generations.note(completion, of: site, by: record.job, at: now, in: transaction)
            // Whatever the outcome, this lease is over.
            _ = site.raiseFence()
            try await stores.sites.save(site, in: transaction)
            try await stores.jobs.save(record, in: transaction)
            try await AuditTrail(stores: stores).record(
                endOf: record.job, by: .host(host), host: host, fence: lease.fence, at: now, in: transaction)
            try await JobEvents(feed: feed).append(
                record.job.isTerminal ? .jobFinished : .jobProgress, record.job, owner: site.owner, at: now,
                in: transaction)
            let next =
                record.job.isTerminal
                ? try await SiteLine(stores: stores).moveUp(
                    site.id, behind: active.filter { $0.id != lease.job }, line, at: now, in: transaction) : []
            FaultPoint.beforeCompletionCommit.reach()
            return (record.job, next)
        }
    }

    private func publish(_ job: Job) {
        guard job.isTerminal else { return }
        MetricsSystem.factory.increment(.jobsFinished, job.stateName.rawValue)
        MetricsSystem.factory.observe(.jobSeconds, job.updatedAt - job.createdAt, job.stateName.rawValue)
    }

    private func result(of completion: JobCompletion) async throws -> Result {
        switch completion.outcome {
        case .cancelled: return .cancelled
        case .failed(let failure):
            // A plan is asked for so that nothing changes.
            if failure.code == "nothing-changed", let answer = try await answer(completion, changes: nil) {
                return answer
            }
            return .failure(failure, findings: [])
        case .succeeded(let changes, let digest):
            if let answer = try await answer(completion, changes: changes) { return answer }
            do {
                return try await checked(changes, digest: digest, completion: completion)
            } catch let error as ServiceError where error.code == .validationFailed {
                return .failure(
                    JobFailure(kind: .task, code: "validation-failed", message: error.message),
                    findings: error.findings)
            }
        }
    }

    /// What a look came to: nothing is changed by it.
    private static func looked(at base: Version, _ completion: JobCompletion) -> Result? {
        guard case .succeeded(let changes, let digest) = completion.outcome else { return nil }
        if changes.isEmpty, digest == base.digest, case .follows = completion.look { return .looking(base.number) }
        var reason = "the worker did not look at the pages"
        if case .impossible(let obstacle) = completion.look { reason = obstacle }
        return .failure(
            JobFailure(kind: .task, code: "no-browser", message: "No pictures were taken: \(reason)."), findings: [])
    }

    /// What a plan or a look came to; `nil` when the job is neither. The files that the engine changed all the same are only named.
    private func answer(_ completion: JobCompletion, changes: ManifestDelta?) async throws -> Result? {
        let found = try await database.read { transaction -> (Edit, Version)? in
            guard let edit = try await stores.edits.find(job: completion.lease.job, in: transaction),
                edit.mode == .plan || edit.isLook,
                let base = try await stores.versions.find(edit.base, of: edit.site, in: transaction)
            else { return nil }
            return (edit, base)
        }
        guard let (edit, base) = found else { return nil }
        if edit.isLook { return Self.looked(at: base, completion) }
        let manifest = try await manifests.manifest(base.digest)
        return .answer(
            edit: edit,
            files: PlannedFiles.files(in: completion.summary, changes: changes, of: manifest))
    }

    private func checked(
        _ changes: ManifestDelta, digest: ContentDigest, completion: JobCompletion
    ) async throws -> Result {
        let lease = completion.lease
        let (edit, parent, expectation, generation) = try await database.read {
            transaction -> (Edit, Version, ChangeExpectation, Generation?) in
            guard let record = try await stores.jobs.find(lease.job, in: transaction),
                let edit = try await stores.edits.find(job: lease.job, in: transaction),
                let parent = try await stores.versions.find(edit.base, of: record.job.site, in: transaction)
            else { throw ServiceError(.internalError, "the base of \(lease.job) is missing") }
            let isGeneration = record.job.kind == .generate
            return (
                edit, parent, try await ChangeExpectation.of(edit, stores: stores, in: transaction),
                isGeneration ? try await stores.generations.find(site: record.job.site, in: transaction) : nil
            )
        }
        if let original = edit.replayOf { return try await replayed(original, as: digest) }
        // Before its plan is approved, a generation changes nothing.
        if let generation, generation.stopsAfterPlan { return .plan(parent.number) }
        guard !changes.isEmpty else {
            return .failure(
                JobFailure(kind: .task, code: "nothing-changed", message: "Nothing was changed."), findings: [])
        }
        let manifest = try changes.applied(to: try await manifests.manifest(parent.digest))
        guard manifest.digest == digest else {
            throw ServiceError(
                .validationFailed, "the worker's list of files does not have the digest that it says",
                rule: "manifest-digest")
        }
        // Before the look, so that a garbage collection after it is noticed.
        let sweeps = try await recorder.sweeps()
        let missing = try await blobs.missing(among: changes.upserts.map(\.digest))
        guard missing.isEmpty else {
            return .failure(
                JobFailure(
                    kind: .infrastructure, code: "blobs-missing",
                    message: "\(missing.count) of the changed files did not arrive."), findings: [])
        }
        try await requireSizes(of: changes.upserts)
        do {
            let content = try await recorder.check(
                StagedContent(manifest: manifest, batch: nil, sweeps: sweeps), parent: parent,
                origin: .edit(edit.id, job: lease.job, engine: edit.engine),
                // A generation makes the whole site anew: there is nothing of the owner's to lose.
                expecting: generation == nil ? expectation : nil)
            return .version(content, parent: parent.number, edit: edit)
        } catch let refused as RefusedChange {
            // Kept, so that its owner can see what was refused, and accept it.
            let kept = try await blobs.putManifest(manifest)
            manifests.insert(manifest, digest: kept)
            return .failure(
                JobFailure(kind: .task, code: "validation-failed", message: refused.refusal.message),
                findings: refused.refusal.findings,
                refused: ChangeReview(
                    job: lease.job, site: edit.site, digest: kept, scope: refused.scope,
                    summary: String(completion.summary.prefix(4000)), version: nil, createdAt: clock.now()))
        }
    }

    /// Whether the replay of `original` came to the same content.
    private func replayed(_ original: JobID, as digest: ContentDigest) async throws -> Result {
        let version = try await database.read { transaction -> Version? in
            guard let record = try await stores.jobs.find(original, in: transaction),
                case .succeeded(let number) = record.job.state
            else { return nil }
            return try await stores.versions.find(number, of: record.job.site, in: transaction)
        }
        guard let version else {
            throw ServiceError(.internalError, "the version that \(original) made is missing")
        }
        switch ReplayVerdict(expected: version.digest, version: version.number, found: digest) {
        case .same(let number): return .replayed(number)
        case .different(let failure): return .failure(failure, findings: [])
        }
    }
}
