import AgentCore
import Artifacts
import BlockingIO
import Domain
import Glibc

/// The trees of a host: the files of a version, as read-only hard links to blobs. A tree that has its name is whole.
struct TreeStore: Sendable {
    let layout: ServingLayout
    let blobs: DirectoryBlobStore
    let transfer: any BlobTransfer
    let pool: BlockingPool
    let observe: ServingStepObserver

    /// Those of `digests` that are not on the host.
    func missing(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        let layout = layout
        return try await pool.run { digests.filter { !FarmFiles.exists(layout.tree($0)) } }
    }

    /// Brings a version to the host: fetches what is missing, every hash checked, and builds its tree. Does nothing when
    /// the tree is there. `relatives` are versions of the same site that the host has; they keep the transfer small.
    func ensure(
        _ digest: ContentDigest, of site: SiteID, relatives: [ContentDigest], tally: TransferTally
    ) async throws {
        guard try await !missing(among: [digest]).isEmpty else { return }
        let manifest = try await manifest(digest, of: site, relatives: relatives, tally: tally)
        var seen: Set<ContentDigest> = []
        let wanted = manifest.entries.map(\.digest).filter { seen.insert($0).inserted }
        let missing = try await blobs.missing(among: wanted)
        if !missing.isEmpty {
            tally.add(try await transfer.fetch(missing, for: .site(site), into: blobs))
        }
        try observe(.fetched, site)
        try await build(manifest, as: digest, for: site)
    }

    private func manifest(
        _ digest: ContentDigest, of site: SiteID, relatives: [ContentDigest], tally: TransferTally
    ) async throws -> Manifest {
        if let manifest = try? await blobs.manifest(digest) { return manifest }
        var known: [ContentDigest: Manifest] = [:]
        for relative in relatives.prefix(3) { known[relative] = try? await blobs.manifest(relative) }
        let fetched = try await transfer.fetchManifest(digest, for: .site(site), known: known)
        tally.add(TransferSummary(files: 0, bytes: fetched.wireBytes))
        guard fetched.manifest.digest == digest else {
            throw ServiceError(
                .validationFailed, "the list of files that came is not the one of version \(digest.abbreviated)",
                rule: "manifest-digest")
        }
        try await blobs.putManifest(fetched.manifest)
        return fetched.manifest
    }

    private func build(_ manifest: Manifest, as digest: ContentDigest, for site: SiteID) async throws {
        let tree = layout.tree(digest)
        let temporary = "\(layout.trees)/.new-\(digest)-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        do {
            // Flushes the file system: the tree's content is durable before it gets its name.
            try await blobs.linkAll(manifest.entries, into: temporary)
            try observe(.treeBuilt, site)
            let trees = layout.trees
            try await pool.run {
                guard rename(temporary, tree) == 0 else {
                    let code = errno
                    // Two sites can have the same content, and one was quicker.
                    if code == EEXIST || code == ENOTEMPTY { return try FileTree.remove(temporary) }
                    throw SystemCallError("rename", on: tree, code: code)
                }
                try FarmFiles.sync(trees)
            }
        } catch {
            // Whatever the reason, cancelled or not, the half-built tree goes; the next start would take it, too.
            await discard(temporary)
            throw error
        }
    }

    private func discard(_ folder: String) async {
        let pool = pool
        // A task of its own, awaited here, because a cancelled one may not wait for the pool.
        await Task { try? await pool.run { try FileTree.remove(folder) } }.value
    }
}
