package import Artifacts
import Database
import Domain
package import FleetIdentity
import Metrics
import NIOCore
package import Persistence
import Telemetry

/// Makes versions: stages their files, has them checked, and records them. The only place where a version is born.
package struct VersionRecorder: Sendable {
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let checker: ContentChecker
    private let signer: VersionSigner
    private let feed: EventFeed

    package init(
        stores: Stores, blobs: any BlobStore, manifests: ManifestCache, checker: ContentChecker,
        signer: VersionSigner, feed: EventFeed
    ) {
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
    /// - Throws: `validationFailed` with all findings when there is an error among them.
    func check(
        _ content: StagedContent, parent: Version?, origin: Version.Origin
    ) async throws -> CheckedContent {
        do {
            let warnings = try await checker.check(content, parent: parent, origin: origin)
            try await content.batch?.commit()
            let digest = try await blobs.putManifest(content.manifest)
            manifests.insert(content.manifest, digest: digest)
            return CheckedContent(manifest: content.manifest, digest: digest, warnings: content.notes + warnings)
        } catch {
            await content.batch?.discard()
            throw error
        }
    }

    /// Writes the version and moves the preview pointer, in the caller's transaction. The caller saves `site`.
    func record(
        _ content: CheckedContent, on site: inout Site, parent: VersionNumber?, origin: Version.Origin,
        author: UserID, summary: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Version {
        let number = site.takeVersionNumber()
        let statement = Version.statement(site: site.id, number: number, digest: content.digest)
        let version = Version(
            site: site.id, number: number, digest: content.digest, parent: parent, origin: origin, author: author,
            summary: String(summary.prefix(4000)), files: content.manifest.entries.count,
            totalSizeInBytes: content.manifest.totalSizeInBytes, findings: content.warnings,
            signature: try signer.sign(statement), createdAt: now)
        try await stores.versions.insert(version, in: transaction)
        try site.showPreview(of: number)
        try await stores.placements.raiseGenerations(of: site.id, at: now, in: transaction)
        try await feed.append(
            .versionCreated, owner: site.owner, site: site.id,
            body: [
                "site_id": EventValue(site.id), "number": EventValue(number), "digest": .text(content.digest.text),
            ], at: now, in: transaction)
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
