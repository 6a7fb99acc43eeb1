package import Domain

/// A store whose content can be listed, counted and thrown away. What may be thrown away, others decide.
package protocol BlobInventory: BlobStore {
    /// As an operator wrote it, without secrets.
    var address: String { get }

    /// Throws what is wrong with the store when it cannot do its work now. One quick question, asked once.
    func probe() async throws

    /// Hands out everything that is in the store, in pages. What is added or removed meanwhile may be missed.
    func forEachPage(_ body: ([ListedBlob]) async throws -> Void) async throws

    /// Deletes those of `digests` that are at least `age` old. What became younger since it was listed (somebody just put
    /// it) stays. Nothing is deleted once `order` is over, however long this process slept: the rest throws
    /// `failedPrecondition` with rule `removal-over`.
    func remove(_ digests: [ContentDigest], olderThan age: Duration, order: RemovalOrder) async throws -> BlobRemoval

    /// Ends what was begun at least `age` ago and never came to an end, such as the uploads of a coordinator that died.
    /// With `isDryRun`, only counts it.
    func removeUnfinished(olderThan age: Duration, isDryRun: Bool) async throws -> BlobCount
}

/// One blob in a listing.
package struct ListedBlob: Sendable, Equatable {
    package let digest: ContentDigest
    package let sizeInBytes: Int64
    /// How long ago it was put there last, by the store's own clock.
    package let age: Duration

    package init(digest: ContentDigest, sizeInBytes: Int64, age: Duration) {
        self.digest = digest
        self.sizeInBytes = sizeInBytes
        self.age = age
    }
}

/// What a removal did.
package struct BlobRemoval: Sendable {
    package var removed = BlobCount.zero
    /// Those of which nobody knows whether they are there: the request was sent and no answer came. It may take effect until
    /// the order is over.
    package var uncertain: [ContentDigest] = []
    /// What went wrong with the first of them.
    package var error: (any Error)?

    package init() {}
}

/// How many, and how much.
package struct BlobCount: Sendable, Equatable {
    package var blobs: Int
    package var bytes: Int64
    package static let zero = BlobCount(blobs: 0, bytes: 0)

    package init(blobs: Int, bytes: Int64) {
        self.blobs = blobs
        self.bytes = bytes
    }

    package mutating func add(_ bytes: Int64) {
        blobs += 1
        self.bytes += bytes
    }

    package static func + (left: Self, right: Self) -> Self {
        Self(blobs: left.blobs + right.blobs, bytes: left.bytes + right.bytes)
    }

    package static func - (left: Self, right: Self) -> Self {
        Self(blobs: left.blobs - right.blobs, bytes: left.bytes - right.bytes)
    }
}

/// The right to delete, for ten minutes from the instant at which the decision was made.
///
/// A process that was stopped in between must not delete what others have made since. A folder is locked while files
/// in it are deleted; a request to S3 is signed with the time of the decision, and S3 refuses it 15 minutes later.
package struct RemovalOrder: Sendable {
    package static let lifetime = Duration.seconds(600)

    /// By the wall clock of this machine.
    package let issuedAt: Timestamp
    private let instant: ContinuousClock.Instant

    package init(issuedAt: Timestamp, instant: ContinuousClock.Instant = .now) {
        self.issuedAt = issuedAt
        self.instant = instant
    }

    package func requireValid() throws(ServiceError) {
        guard ContinuousClock.now - instant < Self.lifetime else {
            throw ServiceError(
                .failedPrecondition, "the decision to delete is older than ten minutes", rule: "removal-over",
                nextStep: "Nothing more was deleted; run it again.")
        }
    }
}
