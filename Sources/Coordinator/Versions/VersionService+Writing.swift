import Artifacts
import Database
package import Domain
import Logging
import NIOCore
import Persistence

extension VersionService {
    /// A page that is larger is not edited by hand.
    private static let pageLimit = 2 << 20

    /// Makes a version in which one text of one page is another, without any engine. It becomes the preview.
    ///
    /// - Parameter number: The version that was looked at. Throws `conflict` when the preview shows another one by now.
    package func write(
        _ change: TextChange, into number: Int, of reference: String, for principal: Principal,
        once: Once<VersionView> = .unkeyed
    ) async throws -> VersionView {
        let (site, parent) = try await database.read { transaction -> (Site, Version) in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            try Self.requireShown(version.number, on: site)
            return (site, version)
        }
        let manifest = try await manifests.manifest(parent.digest)
        guard let path = try? SitePath(change.path), let entry = manifest.entry(at: path),
            ["html", "htm"].contains(path.fileExtension), entry.sizeInBytes <= Self.pageLimit
        else {
            throw ServiceError(
                .notFound, "version \(number) has no page \"\(change.path.prefix(200))\" that can be edited",
                field: "path")
        }
        let page = try change.applied(to: try await blobs.read(entry.digest, limit: Self.pageLimit))
        let content = try await staged(page, at: path, in: manifest)
        let checked = try await recorder.check(content, parent: parent, origin: .upload)
        let now = clock.now()
        let view = try await recorder.recording(checked) { checked in
            try await database.withTransaction(once) { transaction in
                var site = try await access.find(site.id.text, for: principal, in: transaction)
                try Self.requireShown(parent.number, on: site)
                let version = try await recorder.record(
                    checked, on: &site, parent: parent.number, origin: .upload, author: principal.user,
                    summary: change.summary, at: now, in: transaction)
                try await stores.sites.save(site, in: transaction)
                try await AuditTrail(stores: stores).record(
                    .versionWritten, on: site.id.text, of: site.id, for: principal,
                    ["version": version.number.description, "digest": version.digest.text, "path": path.text], at: now,
                    in: transaction)
                return VersionView(version, of: site)
            }
        }
        feed.announce()
        desiredState.advance()
        logger.notice(
            "Wrote a text by hand", metadata: ["site.id": "\(site.id)", "version.number": "\(view.version.number)"])
        return view
    }

    private func staged(_ page: [UInt8], at path: SitePath, in manifest: Manifest) async throws -> StagedContent {
        let batch = try await blobs.makeBatch()
        do {
            let writer = try await batch.makeWriter()
            try await writer.write(ByteBuffer(bytes: page))
            let stored = try await writer.finish(expecting: nil)
            let entries = manifest.entries.map { entry in
                entry.path == path
                    ? Manifest.Entry(path: path, sizeInBytes: stored.sizeInBytes, digest: stored.digest) : entry
            }
            return StagedContent(manifest: try Manifest(entries), batch: batch)
        } catch {
            await batch.discard()
            throw error
        }
    }

    private static func requireShown(_ number: VersionNumber, on site: Site) throws(ServiceError) {
        guard site.preview == number else {
            throw ServiceError(
                .conflict, "the preview shows another version by now", field: "version", rule: "preview-moved",
                nextStep: "Look at it again, then write the text once more.")
        }
    }
}
