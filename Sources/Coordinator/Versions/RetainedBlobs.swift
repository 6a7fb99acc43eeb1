import Artifacts
import Database
import Domain
import Persistence

/// Everything that versions refer to and that must stay in the store.
struct RetainedBlobs: Sendable {
    private static let versionsInOnePage = 500
    private static let picturesInOnePage = 5000
    private static let parallelism = 8

    let database: any SQLDatabase
    let stores: Stores
    let blobs: any BlobStore

    /// Hands out all versions that keep their content: of sites that are there, or were at `time`.
    func forEachPage(
        deletedAfter time: Timestamp, _ body: ([RetainedVersion]) async throws -> Void
    ) async throws {
        var last: RetainedVersion?
        repeat {
            try Task.checkCancellation()
            let page = try await database.read { [last] transaction in
                try await stores.versions.retained(
                    deletedAfter: time, after: last, limit: Self.versionsInOnePage, in: transaction)
            }
            if !page.isEmpty { try await body(page) }
            last = page.count == Self.versionsInOnePage ? page.last : nil
        } while last != nil
    }

    /// Hands out the pictures of the same versions.
    func forEachPageOfPictures(
        deletedAfter time: Timestamp, _ body: ([ContentDigest]) async throws -> Void
    ) async throws {
        var last: ContentDigest?
        repeat {
            try Task.checkCancellation()
            let page = try await database.read { [last] transaction in
                try await stores.versions.retainedPictures(
                    deletedAfter: time, after: last, limit: Self.picturesInOnePage, in: transaction)
            }
            if !page.isEmpty { try await body(page) }
            last = page.count == Self.picturesInOnePage ? page.last : nil
        } while last != nil
    }

    /// The manifests of these versions, each read once and hashed; `nil` for one that cannot be read, and why.
    func manifests(
        of versions: [RetainedVersion], _ body: (RetainedVersion, Result<Manifest, any Error>) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (RetainedVersion, Result<Manifest, any Error>).self) { group in
            var waiting = versions[...]
            func startNext() {
                guard let version = waiting.popFirst() else { return }
                group.addTask { [blobs] in
                    do {
                        return (version, .success(try await blobs.manifest(version.digest, limits: .unlimited)))
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        return (version, .failure(error))
                    }
                }
            }
            for _ in 0..<Self.parallelism { startNext() }
            while let (version, result) = try await group.next() {
                try await body(version, result)
                startNext()
            }
        }
    }
}

extension Manifest.Limits {
    /// For manifests that were accepted once, whatever the limits were then.
    fileprivate static let unlimited = Manifest.Limits(files: .max, totalSizeInBytes: .max, fileSizeInBytes: .max)
}
