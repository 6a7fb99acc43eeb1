import AgentCore
import Artifacts
import BlockingIO
import Domain
import Glibc

/// The trees of a host: the files of a version, as read-only hard links to blobs. A tree that has its name is whole.
struct TreeStore: Sendable {
    /// How many relatives are read to make a transfer small; the coordinator names the best of them.
    private static let basesInUse = 2
    /// How many files the lists that are kept in memory may have in all, so that an agent stays small.
    private static let filesInMemory = 20_000

    let layout: ServingLayout
    let blobs: DirectoryBlobStore
    private let manifests: ManifestCache
    let transfer: any BlobTransfer
    let pool: BlockingPool
    let observe: ServingStepObserver

    init(
        layout: ServingLayout, blobs: DirectoryBlobStore, transfer: any BlobTransfer, pool: BlockingPool,
        observe: @escaping ServingStepObserver
    ) {
        self.layout = layout
        self.blobs = blobs
        manifests = ManifestCache(store: blobs, limitInFiles: Self.filesInMemory)
        self.transfer = transfer
        self.pool = pool
        self.observe = observe
    }

    /// Those of `digests` that are not on the host.
    func missing(among digests: [ContentDigest]) async throws -> [ContentDigest] {
        let layout = layout
        return try await pool.run { digests.filter { !FarmFiles.exists(layout.tree($0)) } }
    }

    /// Brings a version to the host: fetches what is missing, every hash checked, and builds its tree. Does nothing when
    /// the tree is there. `relatives` are versions of the same site, the likeliest base first; those that the host has
    /// keep the transfer and the work small.
    func ensure(
        _ digest: ContentDigest, of site: SiteID, relatives: [ContentDigest], tally: TransferTally
    ) async throws {
        guard try await !missing(among: [digest]).isEmpty else { return }
        let bases = try await bases(among: relatives)
        let (manifest, isNew) = try await manifest(digest, of: site, bases: bases, tally: tally)
        // Made durable while the contents come; the tree does not get its name before.
        async let kept: Void = keep(manifest, as: digest, isNew: isNew)
        let base = bases.map { (manifest: $0.value, delta: ManifestDelta(from: $0.value, to: manifest)) }
            .min { $0.delta.upserts.count < $1.delta.upserts.count }
        if let base {
            // The tree of the base is whole, and so are the blobs that it is made of.
            do {
                try await fetch(base.delta.upserts, of: site, tally: tally)
                try await kept
                return try await build(manifest, as: digest, on: base.manifest, for: site)
            } catch let error as ServiceError where error.code == .notFound {
                // Or somebody took one away: then all of them are looked for.
            }
        }
        try await fetch(manifest.entries, of: site, tally: tally)
        try await kept
        try await build(manifest, as: digest, on: nil, for: site)
    }

    /// The manifests of a few relatives whose trees are here.
    private func bases(among relatives: [ContentDigest]) async throws -> [ContentDigest: Manifest] {
        let absent = Set(try await missing(among: relatives))
        var bases: [ContentDigest: Manifest] = [:]
        for relative in relatives where !absent.contains(relative) && bases.count < Self.basesInUse {
            bases[relative] = try? await manifests.manifest(relative)
        }
        return bases
    }

    private func fetch(_ entries: [Manifest.Entry], of site: SiteID, tally: TransferTally) async throws {
        var seen: Set<ContentDigest> = []
        let missing = try await blobs.missing(among: entries.map(\.digest).filter { seen.insert($0).inserted })
        if !missing.isEmpty {
            tally.add(try await transfer.fetch(missing, for: .site(site), into: blobs))
        }
        try observe(.fetched, site)
    }

    private func manifest(
        _ digest: ContentDigest, of site: SiteID, bases: [ContentDigest: Manifest], tally: TransferTally
    ) async throws -> (manifest: Manifest, isNew: Bool) {
        if let manifest = try? await manifests.manifest(digest) { return (manifest, false) }
        let fetched = try await transfer.fetchManifest(digest, for: .site(site), known: bases)
        tally.add(TransferSummary(files: 0, bytes: fetched.wireBytes))
        guard fetched.manifest.digest == digest else {
            throw ServiceError(
                .validationFailed, "the list of files that came is not the one of version \(digest.abbreviated)",
                rule: "manifest-digest")
        }
        return (fetched.manifest, true)
    }

    private func keep(_ manifest: Manifest, as digest: ContentDigest, isNew: Bool) async throws {
        guard isNew else { return }
        try await blobs.putManifest(manifest)
        manifests.insert(manifest, digest: digest)
    }

    private func build(
        _ manifest: Manifest, as digest: ContentDigest, on base: Manifest?, for site: SiteID
    ) async throws {
        let tree = layout.tree(digest)
        let temporary = "\(layout.trees)/.new-\(digest)-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        do {
            // Flushes what it makes: the tree's content is durable before it gets its name.
            try await blobs.linkAll(manifest.entries, into: temporary, base: base)
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
