import BlockingIO
package import Domain
import Glibc
import Logging
import Nginx

extension ServingRole {
    /// Looks after what nobody asks for: nginx's health, removals that were let go, and what is not used any more.
    func keepUp() async {
        var lastDriftCheck = ContinuousClock.now
        while (try? await Task.sleep(for: settings.upkeepInterval)) != nil {
            await nginx.check()
            releaseHeldRemovals()
            do {
                try await cleanUp()
                if lastDriftCheck.duration(to: .now) >= settings.driftInterval {
                    try await verifyNextSite()
                    lastDriftCheck = .now
                }
            } catch {
                if Task.isCancelled { return }
                logger.warning("Could not clean up", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Deletes generations, trees and blobs that nothing refers to, and has not for a while.
    package func cleanUp() async throws {
        // A record that cannot be read may refer to anything.
        guard isLoaded, !sites.values.contains(where: { $0.floor != nil }) else { return }
        try await treeGate.acquire()
        defer { treeGate.release() }
        var kept = Set(treesInUse.keys)
        for site in sites.values {
            kept.formUnion(site.served?.trees ?? [])
            kept.formUnion(site.wanted?.trees.map(\.digest) ?? [])
        }
        try await removeUnusedFolders(keeping: kept)
        // Blobs that came for a tree that is not built yet look like blobs that nobody wants.
        if treesInUse.isEmpty { try await removeUnusedBlobs(keeping: kept) }
    }

    private func removeUnusedFolders(keeping kept: Set<ContentDigest>) async throws {
        guard !touchedSites.isEmpty || !unusedSince.isEmpty else { return }
        let farm = farm
        let looked = touchedSites.filter { sites[$0]?.isBusy != true }
        let unused = try await pool.run {
            try farm.unusedGenerations(of: looked) + farm.unusedTrees(except: kept)
        }
        let due = unusedSince.update(unused, at: .now, grace: settings.grace)
        for path in due { try await pool.run { try FarmFiles.removeFolder(path) } }
        if unused.count == due.count {
            touchedSites.subtract(looked)
            unusedSince = UnusedSince()
        }
    }

    private func removeUnusedBlobs(keeping kept: Set<ContentDigest>) async throws {
        let sweep = BlobSweep(blobs: blobs, kept: kept, grace: settings.blobGrace)
        for _ in 0..<4 {
            let shard = nextBlobShard
            nextBlobShard = (nextBlobShard + 1) % 256
            let removed = try await pool.run { try sweep.run(shard: shard) }
            if removed > 0 { logger.debug("Deleted blobs that nothing refers to", metadata: ["blobs": "\(removed)"]) }
        }
    }

    private func verifyNextSite() async throws {
        let served = sites.filter { $0.value.served?.desired.isRemoved == false }.keys.sorted()
        guard let site = served.first(where: { $0 > lastVerified ?? $0 }) ?? served.first else { return }
        lastVerified = site
        _ = try await verify(site, mend: true)
    }

    /// Reads what is served for a site again, every byte, and says what is not as it should be. With `mend` it is put
    /// right; what the host has no good copy of is fetched again.
    package func verify(_ site: SiteID, mend: Bool = false) async throws -> [TreeDamage] {
        try await load()
        guard let served = sites[site]?.served else {
            throw ServiceError(.notFound, "this host does not serve the site \(site)")
        }
        let trees = served.desired.trees.map(\.digest)
        try await beginUse(of: Set(trees))
        defer { endUse(of: Set(trees)) }
        var all: [TreeDamage] = []
        for tree in trees {
            let damage = try await verifier.damage(in: tree)
            if !damage.isEmpty {
                logger.error(
                    "Files of a site are damaged",
                    metadata: ["site.id": "\(site)", "tree": "\(tree.abbreviated)", "files": "\(damage.count)"])
                if mend { try await verifier.mend(damage, in: tree, of: site) }
            }
            all += damage
        }
        if mend {
            let farm = farm
            try await pool.run { try farm.restoreNames(of: served) }
        }
        return all
    }
}
