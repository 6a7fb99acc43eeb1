package import Artifacts
package import Database
package import Domain
package import Logging
package import Persistence

/// Lets an owner accept, for once, what the checks found in a refused change: the change is checked again, and recorded.
package struct ChangeAcceptance: Sendable {
    private struct Candidate: Sendable {
        let edit: Edit
        let review: ChangeReview
        let parent: Version
        let expectation: ChangeExpectation
    }

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let recorder: VersionRecorder
    private let desiredState: DesiredState
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        recorder: VersionRecorder, desiredState: DesiredState, feed: EventFeed, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.recorder = recorder
        self.desiredState = desiredState
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    /// Makes a version of what a job did, although the checks refused it because of `findings`.
    ///
    /// - Throws: `validationFailed` with what is left when that is not all; `conflict` when the job was not refused, was
    ///   accepted before, or the preview shows another version by now; `failedPrecondition` when its files are gone.
    package func accept(
        _ id: JobID, findings references: [FindingReference], for principal: Principal,
        once: Once<VersionView> = .unkeyed
    ) async throws -> VersionView {
        let accepted = try AcceptedFindings(
            references, example: FindingReference(rule: "heading-lost", path: "index.html"))
        let candidate = try await database.read { transaction in
            try await self.candidate(id, accepting: accepted, for: principal, in: transaction)
        }
        let edit = candidate.edit
        let manifest = try await manifests.manifest(candidate.review.digest)
        // Before the look, so that a garbage collection after it is noticed.
        let sweeps = try await recorder.sweeps()
        guard try await blobs.missing(among: Array(Set(manifest.entries.map(\.digest)))).isEmpty else {
            throw ServiceError(
                .failedPrecondition, "the files of this change are gone", rule: "change-gone",
                nextStep: "Ask for it again with: pagewright retry \(id).")
        }
        let origin = Version.Origin.edit(edit.id, job: id, engine: edit.engine)
        let checked: CheckedContent
        do {
            checked = try await recorder.check(
                StagedContent(manifest: manifest, batch: nil, sweeps: sweeps), parent: candidate.parent,
                origin: origin, expecting: candidate.expectation)
        } catch let refused as RefusedChange {
            throw refused.refusal
        }
        let now = clock.now()
        let view = try await recorder.recording(checked) { checked in
            try await database.withTransaction(once) { transaction in
                guard var site = try await stores.sites.find(edit.site, in: transaction) else {
                    throw ServiceError(.notFound, "there is no job \(id)", field: "job")
                }
                // The site's row orders two who accept at once.
                try await stores.sites.save(site, in: transaction)
                guard var review = try await stores.reviews.find(id, in: transaction), review.version == nil else {
                    throw Self.acceptedBefore
                }
                try await requireUnmoved(site, edit, in: transaction)
                let version = try await recorder.record(
                    checked, on: &site, parent: candidate.parent.number, origin: origin, author: edit.author,
                    summary: review.summary, showsPreview: edit.showsPreview, at: now, in: transaction)
                try await stores.sites.save(site, in: transaction)
                review.version = version.number
                try await stores.reviews.save(review, in: transaction)
                try await accepted.note(
                    with: version.number, on: id.text, of: site.id, for: principal, by: AuditTrail(stores: stores),
                    at: now, in: transaction)
                return VersionView(version, of: site)
            }
        }
        feed.announce()
        desiredState.advance()
        logger.notice(
            "Accepted findings", metadata: ["job.id": "\(id)", "version.number": "\(view.version.number)"])
        return view
    }

    private static let acceptedBefore = ServiceError(
        .conflict, "a version was made of this change already", rule: "change-accepted")

    private func candidate(
        _ id: JobID, accepting accepted: AcceptedFindings, for principal: Principal,
        in transaction: any SQLTransaction
    ) async throws -> Candidate {
        guard let record = try await stores.jobs.find(id, in: transaction),
            let site = try await stores.sites.find(record.job.site, in: transaction),
            site.owner == principal.user || principal.isAdmin
        else { throw ServiceError(.notFound, "there is no job \(id)", field: "job") }
        guard let edit = try await stores.edits.find(job: id, in: transaction),
            let review = try await stores.reviews.find(id, in: transaction)
        else {
            throw ServiceError(
                .conflict, "the checks refused nothing of this job", rule: "change-refused",
                nextStep: "Look at it with: pagewright job \(id).")
        }
        guard review.version == nil else { throw Self.acceptedBefore }
        let named = try accepted.named(
            among: record.findings.filter { $0.severity == .error }, orElse: "this job was not refused because of",
            lookWith: "pagewright job \(id)")
        for (reference, finding) in named where !ContentChecker.isAcceptable(finding) {
            throw ServiceError(
                .failedPrecondition, "the finding \"\(reference)\" cannot be accepted: no version may have it",
                field: "findings", rule: "finding-acceptable",
                nextStep: finding.advice.isEmpty ? "Ask for the change again, without it." : finding.advice)
        }
        guard let parent = try await stores.versions.find(edit.base, of: site.id, in: transaction) else {
            throw ServiceError(.internalError, "the base of \(id) is missing")
        }
        try await requireUnmoved(site, edit, in: transaction)
        var expectation = try await ChangeExpectation.of(edit, stores: stores, in: transaction)
        expectation.accepted = accepted.references
        return Candidate(edit: edit, review: review, parent: parent, expectation: expectation)
    }

    /// A version of an older base would take back what came after it.
    private func requireUnmoved(_ site: Site, _ edit: Edit, in transaction: any SQLTransaction) async throws {
        guard edit.showsPreview else { return }
        guard site.preview == edit.base || edit.isBaseChosen else {
            throw ServiceError(
                .conflict, "the preview has changed since: this change would take that back", rule: "preview-moved",
                nextStep: "Ask for it again with: pagewright retry \(edit.job).")
        }
        guard try await stores.jobs.active(of: site.id, in: transaction).isEmpty else {
            throw ServiceError(
                .conflict, "another job of this site is under way", rule: "site-busy",
                nextStep: "Wait for it to end, then accept again.")
        }
    }
}
