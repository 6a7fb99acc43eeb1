package import Artifacts
package import Database
package import Domain
package import Persistence

/// Reads every blob of a store and compares it with its name, and every version with what is there.
package struct BlobVerifier: Sendable {
    /// A blob that is not what it should be, and who needs it.
    package struct Problem: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case damaged, missing
        }

        /// A version that cannot be shown as it was made.
        package struct Need: Sendable, Equatable {
            package let site: SiteID
            package let slug: String
            package let version: VersionNumber
            /// `nil` when it is the version's list of files itself.
            package let path: String?
        }

        package let digest: ContentDigest
        package let kind: Kind
        /// Empty when nothing refers to it.
        package let needs: [Need]
    }

    package struct Report: Sendable, Equatable {
        package var read = BlobCount.zero
        package var versions = 0
        package var problems: [Problem] = []
    }

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobInventory
    private let clock: any WallClock

    package init(
        database: any SQLDatabase, stores: Stores = Stores(), blobs: any BlobInventory, clock: any WallClock
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.clock = clock
    }

    private var retained: RetainedBlobs { RetainedBlobs(database: database, stores: stores, blobs: blobs) }

    /// Reads at most `bytesPerSecond`; all that the store gives when `nil`. `noteProgress` is called now and then.
    package func verify(
        bytesPerSecond: Int? = nil, noteProgress: @Sendable (BlobCount) -> Void = { _ in }
    ) async throws -> Report {
        let start = ContinuousClock.now
        var report = Report()
        var bad: [ContentDigest: Problem.Kind] = [:]
        var seen = Set<ContentDigest>()
        try await blobs.forEachPage { page in
            for blob in page {
                try Task.checkCancellation()
                if let bytesPerSecond {
                    let due = start + .seconds(Double(report.read.bytes) / Double(max(1, bytesPerSecond)))
                    if due > .now { try await Task.sleep(until: due) }
                }
                seen.insert(blob.digest)
                report.read.add(blob.sizeInBytes)
                do {
                    try await blobs.forEachPiece(of: blob.digest, ofAtMost: 256 << 10) { _ in }
                } catch let error as ServiceError where error.code == .internalError {
                    bad[blob.digest] = .damaged
                } catch let error as ServiceError where error.code == .notFound {
                    // Deleted since it was listed; it counts as missing if somebody needs it.
                    seen.remove(blob.digest)
                }
            }
            noteProgress(report.read)
        }
        // After the blobs: what is needed now has been there before, or is looked for once more.
        var absent = Set<ContentDigest>()
        var read = Set<ContentDigest>()
        try await retained.forEachPage(deletedAfter: clock.now()) { page in
            report.versions += page.count
            let new = page.filter { read.insert($0.digest).inserted }
            for version in new where !seen.contains(version.digest) { absent.insert(version.digest) }
            try await retained.manifests(of: new) { version, result in
                switch result {
                case .success(let manifest):
                    for entry in manifest.entries where !seen.contains(entry.digest) { absent.insert(entry.digest) }
                case .failure(let error as ServiceError) where error.code == .notFound:
                    absent.insert(version.digest)
                case .failure(let error as ServiceError)
                where error.code == .internalError || error.code == .validationFailed:
                    bad[version.digest] = .damaged
                case .failure(let error): throw error
                }
            }
        }
        try await retained.forEachPageOfPictures(deletedAfter: clock.now()) { page in
            absent.formUnion(page.filter { !seen.contains($0) })
        }
        for digest in try await blobs.missing(among: Array(absent)) { bad[digest] = .missing }
        report.problems = try await problems(bad)
        return report
    }

    private func problems(_ bad: [ContentDigest: Problem.Kind]) async throws -> [Problem] {
        guard !bad.isEmpty else { return [] }
        var needs: [ContentDigest: [Problem.Need]] = [:]
        try await retained.forEachPage(deletedAfter: clock.now()) { page in
            for version in page where bad[version.digest] != nil {
                needs[version.digest, default: []].append(Self.need(version, path: nil))
            }
            try await retained.manifests(of: page) { version, result in
                guard case .success(let manifest) = result else { return }
                for entry in manifest.entries where bad[entry.digest] != nil {
                    needs[entry.digest, default: []].append(Self.need(version, path: entry.path.text))
                }
            }
        }
        let pictures = try await database.read { [bad] transaction in
            try await stores.versions.retained(
                withPictures: Array(bad.keys), deletedAfter: clock.now(), in: transaction)
        }
        for version in pictures {
            needs[version.digest, default: []].append(Self.need(version, path: "(picture of a page)"))
        }
        return bad.sorted { $0.key < $1.key }.compactMap { digest, kind in
            // A version that went with its site since needs nothing.
            guard kind == .damaged || needs[digest] != nil else { return nil }
            return Problem(
                digest: digest, kind: kind,
                needs: needs[digest, default: []].sorted {
                    ($0.slug, $0.version, $0.path ?? "") < ($1.slug, $1.version, $1.path ?? "")
                })
        }
    }

    private static func need(_ version: RetainedVersion, path: String?) -> Problem.Need {
        Problem.Need(site: version.site, slug: version.slug, version: version.number, path: path)
    }
}
