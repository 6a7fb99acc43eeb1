package import Artifacts
package import Database
package import Domain
import Faults
package import Logging
import Metrics
package import Persistence
import Telemetry

/// Deletes blobs that nothing refers to.
///
/// Marks what the versions of all sites refer to and the pictures of their pages, those of lately deleted sites and the
/// bases of waiting jobs included. What
/// is left and old enough is first *condemned* by a transaction in which no new version refers to it, then deleted, then
/// acquitted. A version cannot be recorded of a condemned blob, and one whose blobs were looked for before an acquittal looks
/// again. So neither a coordinator that works meanwhile nor another collection can lose anything, whatever the clocks say;
/// the grace period only spares uploads that are under way the trouble of beginning anew.
package struct BlobCollector: Sendable {
    package struct Report: Sendable, Equatable {
        package var before = BlobCount.zero
        /// Not referred to, but younger than the grace period.
        package var young = BlobCount.zero
        /// Not referred to, and old enough.
        package var garbage = BlobCount.zero
        package var removed = BlobCount.zero
        /// Uploads that never ended, and were ended now.
        package var unfinished = BlobCount.zero
        /// Counted again at the end; others may have added to it.
        package var after = BlobCount.zero
        package var versions = 0
    }

    package static let standardGrace = Duration.seconds(24 * 3600)
    private static let blobsInOneSweep = 500
    /// What was condemned and not acquitted for so long belongs to a collection that died: its right to delete ended long ago
    /// by every clock.
    private static let abandonedAfter = Duration.seconds(2 * 3600)

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobInventory
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores = Stores(), blobs: any BlobInventory, clock: any WallClock,
        logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.clock = clock
        self.logger = logger
    }

    private var retained: RetainedBlobs { RetainedBlobs(database: database, stores: stores, blobs: blobs) }

    /// Deletes what nothing refers to and what is at least `grace` old; with `isDryRun`, only counts it.
    ///
    /// - Throws: `failedPrecondition` with rule `blobs-incomplete`, before anything is deleted, when the manifest of a version
    ///   cannot be read: then nobody knows what that version needs.
    package func collect(grace: Duration = standardGrace, isDryRun: Bool = false) async throws -> Report {
        let run = Self.newName()
        var report = Report()
        if !isDryRun { report.removed = try await finishAbandoned(run: run + "-old", grace: grace) }
        var state = try await mark(grace: grace)
        report.versions = state.manifests.count
        var waiting: [ContentDigest] = []
        try await blobs.forEachPage { page in
            for blob in page {
                report.before.add(blob.sizeInBytes)
                guard !state.marks.contains(blob.digest) else { continue }
                guard blob.age >= grace else {
                    report.young.add(blob.sizeInBytes)
                    continue
                }
                report.garbage.add(blob.sizeInBytes)
                waiting.append(blob.digest)
            }
            while !isDryRun, waiting.count >= Self.blobsInOneSweep {
                let sweep = Array(waiting.suffix(Self.blobsInOneSweep))
                waiting.removeLast(Self.blobsInOneSweep)
                report.removed = report.removed + (try await self.sweep(sweep, run: run, grace: grace, &state))
            }
            // A dry run must not gather what it will not need.
            if isDryRun { waiting.removeAll() }
        }
        if !waiting.isEmpty {
            report.removed = report.removed + (try await sweep(waiting, run: run, grace: grace, &state))
        }
        report.unfinished = try await blobs.removeUnfinished(olderThan: grace, isDryRun: isDryRun)
        try await blobs.forEachPage { page in for blob in page { report.after.add(blob.sizeInBytes) } }
        MetricsSystem.factory.increment(.blobsCollected, by: report.removed.blobs)
        MetricsSystem.factory.increment(.blobBytesCollected, by: Int(report.removed.bytes))
        logger.notice(
            isDryRun ? "Counted unused blobs" : "Deleted unused blobs",
            metadata: [
                "blobs.before": "\(report.before.blobs)", "blobs.removed": "\(report.removed.blobs)",
                "bytes.removed": "\(report.removed.bytes)", "blobs.young": "\(report.young.blobs)",
            ])
        return report
    }

    // MARK: Mark

    /// What is known to be needed, and up to which event.
    private struct State {
        var marks = Set<ContentDigest>()
        /// Those whose manifest was read.
        var manifests = Set<ContentDigest>()
        var lastEvent: Int64
    }

    private func mark(grace: Duration) async throws -> State {
        // Before the versions are read: what is made from now on has a later event.
        var state = State(lastEvent: try await database.read { try await stores.events.latestID(in: $0) })
        // A site that was deleted by mistake can be brought back for as long as its files can.
        let time = clock.now() + (.zero - grace)
        try await retained.forEachPage(deletedAfter: time) { try await mark($0, &state) }
        try await retained.forEachPageOfPictures(deletedAfter: time) { state.marks.formUnion($0) }
        return state
    }

    private func mark(_ versions: [RetainedVersion], _ state: inout State) async throws {
        let new = versions.filter { state.manifests.insert($0.digest).inserted }
        try await retained.manifests(of: new) { version, result in
            switch result {
            case .success(let manifest):
                state.marks.insert(version.digest)
                for entry in manifest.entries { state.marks.insert(entry.digest) }
            case .failure(let error):
                throw ServiceError(
                    .failedPrecondition,
                    "the list of files of version \(version.number) of \(version.slug) cannot be read, so nothing was deleted",
                    rule: "blobs-incomplete",
                    nextStep:
                        "Check that --blobs names the store of this coordinator, and run `pagewright-coordinator blobs verify`.",
                    cause: error)
            }
        }
    }

    // MARK: Sweep

    /// Deletes those of `digests` that nothing refers to still.
    private func sweep(
        _ digests: [ContentDigest], run: String, grace: Duration, _ state: inout State
    ) async throws -> BlobCount {
        let sweep = "\(run)-\(Self.newName())"
        for _ in 0..<100 {
            // The right to delete is counted from before the decision.
            let order = RemovalOrder(issuedAt: clock.now())
            let (candidates, lastEvent) = (digests.filter { !state.marks.contains($0) }, state.lastEvent)
            let decision = try await database.withTransaction { transaction -> Decision in
                _ = try await stores.condemnedBlobs.lockSweeps(in: transaction)
                let created = try await stores.versions.created(afterEvent: lastEvent, in: transaction)
                let pictures = try await stores.versions.pictures(afterEvent: lastEvent, in: transaction)
                guard created.isEmpty, pictures.isEmpty else {
                    return .lookAgain(
                        created, pictures: pictures, lastEvent: try await stores.events.latestID(in: transaction))
                }
                return .condemned(
                    try await stores.condemnedBlobs.condemn(
                        candidates, by: sweep, at: order.issuedAt, in: transaction))
            }
            switch decision {
            case .lookAgain(let created, let pictures, let event):
                try await mark(created, &state)
                state.marks.formUnion(pictures)
                state.lastEvent = event
            case .condemned(let condemned):
                FaultPoint.reach("blobs-condemned")
                return try await execute(condemned, sweep: sweep, grace: grace, order: order)
            }
        }
        // Versions are made faster than they can be read: another time.
        return .zero
    }

    private enum Decision: Sendable {
        case condemned([ContentDigest])
        case lookAgain([RetainedVersion], pictures: [ContentDigest], lastEvent: Int64)
    }

    private func execute(
        _ digests: [ContentDigest], sweep: String, grace: Duration, order: RemovalOrder
    ) async throws -> BlobCount {
        guard !digests.isEmpty else { return .zero }
        let removal = try await blobs.remove(digests, olderThan: grace, order: order)
        if !removal.uncertain.isEmpty {
            logger.warning(
                "Could not see whether unused blobs were deleted",
                metadata: ["blobs": "\(removal.uncertain.count)", "error": "\(removal.error.map { "\($0)" } ?? "")"])
        }
        try await database.withTransaction { transaction in
            _ = try await stores.condemnedBlobs.lockSweeps(in: transaction)
            try await stores.condemnedBlobs.acquit(run: sweep, except: removal.uncertain, in: transaction)
        }
        return removal.removed
    }

    /// Ends what a collection that died had begun. Its blobs are condemned still, so no version can refer to them.
    private func finishAbandoned(run: String, grace: Duration) async throws -> BlobCount {
        let order = RemovalOrder(issuedAt: clock.now())
        let digests = try await database.withTransaction { transaction in
            _ = try await stores.condemnedBlobs.lockSweeps(in: transaction)
            return try await stores.condemnedBlobs.takeOver(
                condemnedBefore: order.issuedAt + (.zero - Self.abandonedAfter), by: run, at: order.issuedAt,
                in: transaction)
        }
        return try await execute(digests, sweep: run, grace: grace, order: order)
    }

    private static func newName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
