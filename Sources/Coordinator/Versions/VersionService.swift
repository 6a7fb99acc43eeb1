package import Archives
package import Artifacts
package import Database
package import Domain
package import Logging
package import NIOCore
package import Persistence

/// Shows versions and takes uploads.
package struct VersionService: Sendable {
    let database: any SQLDatabase
    let stores: Stores
    let blobs: any BlobStore
    let manifests: ManifestCache
    let recorder: VersionRecorder
    private let reader: ArchiveReader
    private let writer: ArchiveWriter
    let desiredState: DesiredState
    private let releases: ReleaseService
    let feed: EventFeed
    let clock: any WallClock
    let logger: Logger

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

    var access: SiteAccess { SiteAccess(stores: stores) }

    /// Newest first.
    package func list(
        of reference: String, page: PageRequest, for principal: Principal
    ) async throws -> Page<VersionView> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let labels = try await stores.labels.list(of: site.id, in: transaction)
            return try await stores.versions.list(of: site.id, page: page, in: transaction).map {
                VersionView($0, of: site, label: labels[$0.number] ?? .none)
            }
        }
    }

    package func find(_ number: Int, of reference: String, for principal: Principal) async throws -> VersionView {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            return VersionView(
                version, of: site,
                label: try await stores.labels.find(version.number, of: site.id, in: transaction) ?? .none)
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
        at path: String, into reference: String, promote: Bool, for principal: Principal,
        once: Once<VersionView> = .unkeyed
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
        let (view, release) = try await recorder.recording(checked) { checked in
            try await database.withTransaction(once.from { $0.view }) {
                transaction -> (view: VersionView, release: Release?) in
                var site = try await access.find(site.id.text, for: principal, in: transaction)
                let version = try await recorder.record(
                    checked, on: &site, parent: parent?.number, origin: .upload, author: principal.user,
                    summary: "Uploaded \(checked.manifest.entries.count) files", at: now, in: transaction)
                var release: Release?
                if promote {
                    release = try await releases.record(
                        version.number, on: &site, for: principal, at: now, in: transaction)
                }
                try await stores.sites.save(site, in: transaction)
                try await AuditTrail(stores: stores).record(
                    .versionUploaded, on: site.id.text, of: site.id, for: principal,
                    ["version": version.number.description, "digest": version.digest.text], at: now, in: transaction)
                return (view: VersionView(version, of: site), release: release)
            }
        }
        feed.announce()
        desiredState.advance()
        logger.notice(
            "Imported version", metadata: ["site.id": "\(site.id)", "version.number": "\(view.version.number)"])
        if let release { releases.announce(release) }
        return view
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
