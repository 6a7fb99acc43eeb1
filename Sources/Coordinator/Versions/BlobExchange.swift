package import Artifacts
package import Database
package import Domain
package import Persistence

/// What hosts may read from and add to the store: a worker the base of the job that it holds now, and what it made of
/// it; a serving host the versions that the pointers of its sites name. Nothing else.
package struct BlobExchange: Sendable {
    /// A manifest, or how it differs from one that the caller has.
    package struct ManifestAnswer: Sendable {
        /// `nil` when the delta is the whole manifest.
        package let base: ContentDigest?
        package let delta: ManifestDelta
    }

    /// How many digests one call may name.
    package static let maximumDigests = 10_000

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let clock: any WallClock

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        clock: any WallClock
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.clock = clock
    }

    /// A manifest that the host may see, as a difference to one of `known` when that is shorter.
    package func manifest(
        _ digest: ContentDigest, known: [ContentDigest], access: BlobAccess, host: HostID
    ) async throws -> ManifestAnswer {
        let (site, readable) = try await readable(access, host: host)
        guard readable.contains(digest) else { throw Self.refused(digest) }
        let manifest = try await manifests.manifest(digest)
        var best = ManifestAnswer(base: nil, delta: ManifestDelta(upserts: manifest.entries, removals: []))
        for candidate in known.prefix(16) where candidate != digest {
            // Only versions of the same site: the answer must not say what another site contains.
            guard try await isVersion(candidate, of: site), let base = try? await manifests.manifest(candidate) else {
                continue
            }
            let delta = ManifestDelta(from: base, to: manifest)
            if delta.upserts.count + delta.removals.count < best.delta.upserts.count + best.delta.removals.count {
                best = ManifestAnswer(base: candidate, delta: delta)
            }
        }
        return best
    }

    /// The store, when the host may read all of `digests`.
    package func open(
        _ digests: [ContentDigest], access: BlobAccess, host: HostID
    ) async throws -> any BlobStore {
        try Self.requireFew(digests)
        let (_, readable) = try await readable(access, host: host)
        // What is asked for is struck off as it is found: mostly little is asked, of lists that are long.
        var unknown = Set(digests).subtracting(readable)
        for digest in readable where !unknown.isEmpty {
            for entry in try await manifests.manifest(digest).entries { unknown.remove(entry.digest) }
        }
        if let refused = digests.first(where: unknown.contains) { throw Self.refused(refused) }
        return blobs
    }

    /// Those of `digests` that are not in the store. For holders of a lease, and those who look at what it made.
    package func missing(
        among digests: [ContentDigest], access: BlobAccess, host: HostID
    ) async throws -> [ContentDigest] {
        try Self.requireFew(digests)
        try await requireLease(access, host: host)
        return try await blobs.missing(among: digests)
    }

    /// A batch to add to. For the same.
    package func makeBatch(access: BlobAccess, host: HostID) async throws -> any BlobBatch {
        try await requireLease(access, host: host)
        return try await blobs.makeBatch()
    }

    private func requireLease(_ access: BlobAccess, host: HostID) async throws {
        if case .site = access {
            throw ServiceError(.permissionDenied, "only a worker with a job may add files", rule: "blob-access")
        }
        _ = try await readable(access, host: host)
    }

    /// The manifests that the host may see now.
    private func readable(
        _ access: BlobAccess, host: HostID
    ) async throws -> (site: SiteID, digests: Set<ContentDigest>) {
        try await database.read { transaction in
            switch access {
            case .lease(let lease):
                guard let record = try await stores.jobs.find(lease.job, in: transaction),
                    let grant = record.job.grant, grant.lease == lease, grant.host == host,
                    let edit = try await stores.edits.find(job: lease.job, in: transaction),
                    let base = try await stores.versions.find(edit.base, of: record.job.site, in: transaction)
                else {
                    throw ServiceError(
                        .permissionDenied, "the job \(lease.job) is not leased to this host", rule: "blob-access")
                }
                var digests: Set<ContentDigest> = [base.digest]
                // A replay takes what depends on the moment from the version that was made then.
                if let original = edit.replayOf,
                    case .succeeded(let number) = try await stores.jobs.find(original, in: transaction)?.job.state,
                    let made = try await stores.versions.find(number, of: record.job.site, in: transaction)
                {
                    digests.insert(made.digest)
                }
                return (record.job.site, digests)
            case .checks(let lease):
                guard let checks = try await stores.checks.find(job: lease.job, in: transaction),
                    checks.admits(lease, of: host, at: clock.now())
                else {
                    throw ServiceError(
                        .permissionDenied, "no report about the pages of \(lease.job) is waited for",
                        rule: "blob-access")
                }
                // It has the files already; there is nothing more to read.
                return (checks.site, [])
            case .site(let id):
                guard let placement = try await stores.placements.find(id, on: host, in: transaction),
                    !placement.isRemoved, let site = try await stores.sites.find(id, in: transaction)
                else {
                    throw ServiceError(
                        .permissionDenied, "the site \(id) is not placed on this host", rule: "blob-access")
                }
                var digests: Set<ContentDigest> = []
                // Whatever time it is: a preparation that is over is harmless to read.
                let prepared = try await stores.preparedReleases.version(
                    of: id, at: Timestamp(millisecondsSinceEpoch: 0), in: transaction)
                for number in [site.live, site.preview, site.previous, prepared].compactMap(\.self) {
                    if let version = try await stores.versions.find(number, of: id, in: transaction) {
                        digests.insert(version.digest)
                    }
                }
                return (id, digests)
            }
        }
    }

    private func isVersion(_ digest: ContentDigest, of site: SiteID) async throws -> Bool {
        try await database.read { try await stores.versions.find(digest: digest, of: site, in: $0) } != nil
    }

    private static func requireFew(_ digests: [ContentDigest]) throws(ServiceError) {
        guard digests.count <= maximumDigests else {
            throw ServiceError(
                .invalidArgument, "\(digests.count) digests in one call; \(maximumDigests) are allowed",
                field: "digests", rule: "digest-count")
        }
    }

    private static func refused(_ digest: ContentDigest) -> ServiceError {
        ServiceError(
            .permissionDenied, "the content \(digest.abbreviated) is not this host's to read", rule: "blob-access")
    }
}
