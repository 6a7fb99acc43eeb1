package import Archives
package import Artifacts
package import Database
package import Domain
package import Logging
package import NIOCore
package import Persistence

/// Shows versions and takes uploads.
package struct VersionService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let recorder: VersionRecorder
    private let reader: ArchiveReader
    private let writer: ArchiveWriter
    private let desiredState: DesiredState
    private let releases: ReleaseService
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        recorder: VersionRecorder, reader: ArchiveReader, writer: ArchiveWriter, desiredState: DesiredState,
        releases: ReleaseService, feed: EventFeed, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.recorder = recorder
        self.reader = reader
        self.writer = writer
        self.desiredState = desiredState
        self.releases = releases
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }

    /// Newest first.
    package func list(
        of reference: String, page: PageRequest, for principal: Principal
    ) async throws -> Page<VersionView> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return try await stores.versions.list(of: site.id, page: page, in: transaction).map {
                VersionView($0, of: site)
            }
        }
    }

    package func find(_ number: Int, of reference: String, for principal: Principal) async throws -> VersionView {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return VersionView(try await access.version(number, of: site, in: transaction), of: site)
        }
    }

    package func manifest(
        _ number: Int, of reference: String, for principal: Principal
    ) async throws -> (version: Version, manifest: Manifest) {
        let version = try await find(number, of: reference, for: principal).version
        return (version, try await manifests.manifest(version.digest))
    }

    /// One file of a version, and the store to read it from.
    package func file(
        path: String, version number: Int, of reference: String, for principal: Principal
    ) async throws -> (entry: Manifest.Entry, store: any BlobStore) {
        let (version, manifest) = try await manifest(number, of: reference, for: principal)
        guard let path = try? SitePath(path), let entry = manifest.entry(at: path) else {
            throw ServiceError(
                .notFound, "version \(version.number) has no file \"\(path.prefix(200))\"", field: "path")
        }
        return (entry, blobs)
    }

    package func diff(
        from base: Int, to target: Int, of reference: String, for principal: Principal
    ) async throws -> ManifestDiff {
        let before = try await manifest(base, of: reference, for: principal).manifest
        let after = try await manifest(target, of: reference, for: principal).manifest
        return ManifestDiff(from: before, to: after)
    }

    /// Makes a version of an uploaded `.tar.gz`, `.tar` or `.zip`; it becomes the preview, and live when `promote`.
    /// An archive that is refused leaves nothing behind.
    package func importArchive(
        at path: String, into reference: String, promote: Bool, for principal: Principal
    ) async throws -> VersionView {
        let (site, parent) = try await database.read { transaction -> (Site, Version?) in
            let site = try await access.find(reference, for: principal, in: transaction)
            guard let shown = site.preview else { return (site, nil) }
            return (site, try await stores.versions.find(shown, of: site.id, in: transaction))
        }
        let batch = try await blobs.makeBatch()
        let content: StagedContent
        do {
            let tree = try await reader.read(archiveAt: path, into: batch, limits: .standard)
            content = StagedContent(manifest: try Manifest(tree.entries), batch: batch, notes: tree.findings)
        } catch {
            await batch.discard()
            throw error
        }
        let checked = try await recorder.check(content, parent: parent, origin: .upload)
        let now = clock.now()
        let number = try await recorder.recording(checked) { checked in
            try await database.withTransaction { transaction in
                var site = try await access.find(site.id.text, for: principal, in: transaction)
                let version = try await recorder.record(
                    checked, on: &site, parent: parent?.number, origin: .upload, author: principal.user,
                    summary: "Uploaded \(checked.manifest.entries.count) files", at: now, in: transaction)
                try await stores.sites.save(site, in: transaction)
                try await AuditTrail(stores: stores).record(
                    .versionUploaded, on: site.id.text, of: site.id, for: principal,
                    ["version": version.number.description, "digest": version.digest.text], at: now, in: transaction)
                return version.number
            }
        }
        feed.announce()
        desiredState.advance()
        logger.notice(
            "Imported version", metadata: ["site.id": "\(site.id)", "version.number": "\(number)"])
        if promote { _ = try await releases.promote(number.rawValue, on: site.id.text, for: principal) }
        return try await find(number.rawValue, of: site.id.text, for: principal)
    }

    /// The version as a `.tar.gz`; the same version gives the same bytes, always.
    package func writeArchive(
        _ number: Int, of reference: String, for principal: Principal,
        to write: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        let (_, manifest) = try await manifest(number, of: reference, for: principal)
        try await writer.write(manifest, from: blobs, to: write)
    }
}
