package import Artifacts
package import Database
import Domain
package import FleetIdentity
import Metrics
import NIOCore
package import Persistence
import Telemetry

/// Makes versions: stages their files, has them checked, and records them. The only place where a version is born.
package struct VersionRecorder: Sendable {
    /// A garbage collection came between the look at the files and the transaction.
    private struct SweptMeanwhile: Error {}

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let checker: ContentChecker
    private let signer: VersionSigner
    private let feed: EventFeed

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        checker: ContentChecker, signer: VersionSigner, feed: EventFeed
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.checker = checker
        self.signer = signer
        self.feed = feed
    }

    /// Stages files that are in memory, such as those of a template.
    func store(files: [(path: String, bytes: [UInt8])]) async throws -> StagedContent {
        let batch = try await blobs.makeBatch()
        do {
            var entries: [Manifest.Entry] = []
            for file in files {
                let writer = try await batch.makeWriter()
                try await writer.write(ByteBuffer(bytes: file.bytes))
                let stored = try await writer.finish(expecting: nil)
                entries.append(
                    Manifest.Entry(
                        path: try SitePath(file.path), sizeInBytes: stored.sizeInBytes, digest: stored.digest))
            }
            return StagedContent(manifest: try Manifest(entries), batch: batch)
        } catch {
            await batch.discard()
            throw error
        }
    }

    /// Checks staged files and makes them durable. What is refused leaves nothing behind.
    ///
    /// - Parameter expectation: what an edit is held against.
    /// - Throws: `validationFailed` with all findings when there is an error among them; ``RefusedChange`` with the same
    ///   when there was an expectation.
    func check(
        _ content: StagedContent, parent: Version?, origin: Version.Origin,
        expecting expectation: ChangeExpectation? = nil
    ) async throws -> CheckedContent {
        do {
            let (warnings, scope) = try await checker.check(
                content, parent: parent, origin: origin, expecting: expectation)
            // Before anything is found to be in the store already.
            let sweeps = if let known = content.sweeps { known } else { try await self.sweeps() }
            try await content.batch?.commit()
            let digest = try await blobs.putManifest(content.manifest)
            manifests.insert(content.manifest, digest: digest)
            var own = Set(content.manifest.entries.map(\.digest))
            if let parent { own.subtract(try await manifests.manifest(parent.digest).entries.map(\.digest)) }
            own.insert(digest)
            return CheckedContent(
                manifest: content.manifest, digest: digest, warnings: content.notes + warnings, scope: scope,
                ownDigests: own, sweeps: sweeps)
        } catch {
            await content.batch?.discard()
            throw error
        }
    }

    /// How many garbage collections have ended. To be asked before looking whether files are in the store.
    func sweeps() async throws -> Int64 {
        try await database.read { try await stores.condemnedBlobs.sweeps(in: $0) }
    }

    /// Runs `body`, a transaction that records `content`. When a garbage collection came in between, looks again whether
    /// every file is there, and runs it again.
    ///
    /// - Throws: `unavailable` with rule `blobs-swept` when a file went that had been there: nothing referred to it for a
    ///   long time, and sending it again brings it back.
    func recording<Value: Sendable>(
        _ content: CheckedContent, _ body: (CheckedContent) async throws -> Value
    ) async throws -> Value {
        var content = content
        for _ in 0..<20 {
            do {
                return try await body(content)
            } catch is SweptMeanwhile {
                content.sweeps = try await sweeps()
                guard try await blobs.missing(among: Array(content.ownDigests)).isEmpty else { break }
                // What is being deleted now is gone in a moment, or was acquitted.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        throw ServiceError(
            .unavailable, "files of this version that nobody had used for long were cleaned up just now",
            rule: "blobs-swept", nextStep: "Send it again.", retryAfter: .seconds(5))
    }

    /// Nothing of `content` was deleted since it was looked for, and nothing of it is about to be.
    private func requireKept(_ content: CheckedContent, in transaction: any SQLTransaction) async throws {
        let sweeps = try await stores.condemnedBlobs.lockSweeps(in: transaction)
        let condemned = try await stores.condemnedBlobs.list(in: transaction)
        guard sweeps == content.sweeps, condemned.isDisjoint(with: content.ownDigests) else { throw SweptMeanwhile() }
    }

    /// Writes the version and moves the preview pointer, in the caller's transaction, which runs in
    /// ``recording(_:_:)``. The caller saves `site`.
    ///
    /// - Parameter showsPreview: `false` for one of several versions that somebody is to pick from.
    func record(
        _ content: CheckedContent, on site: inout Site, parent: VersionNumber?, origin: Version.Origin,
        author: UserID, summary: String, showsPreview: Bool = true, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Version {
        let number = site.takeVersionNumber()
        let statement = Version.statement(site: site.id, number: number, digest: content.digest)
        let version = Version(
            site: site.id, number: number, digest: content.digest, parent: parent, origin: origin, author: author,
            summary: String(summary.prefix(4000)), files: content.manifest.entries.count,
            totalSizeInBytes: content.manifest.totalSizeInBytes, findings: content.warnings,
            signature: try signer.sign(statement), createdAt: now)
        try await stores.versions.insert(version, in: transaction)
        if showsPreview {
            try site.showPreview(of: number)
            try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
        }
        try await feed.append(
            .versionCreated, owner: site.owner, site: site.id,
            body: [
                "site_id": EventValue(site.id), "number": EventValue(number), "digest": .text(content.digest.text),
            ], at: now, in: transaction)
        try await requireKept(content, in: transaction)
        MetricsSystem.factory.increment(.versionsCreated, Self.word(for: origin))
        return version
    }

    private static func word(for origin: Version.Origin) -> String {
        switch origin {
        case .template: "template"
        case .upload: "upload"
        case .edit: "edit"
        }
    }
}
