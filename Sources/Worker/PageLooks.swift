import AgentCore
import Artifacts
import BlockingIO
import Domain
import Logging
import Sandbox
import Synchronization

/// Looks at versions one after the other, so that at most one browser runs here, and hands in what was seen. A version
/// comes in line when the coordinator has taken it; nothing waits for the end of a look.
///
/// What is in line when the agent stops is dropped: the coordinator then says that nobody reported.
final class PageLooks: Sendable {
    private static let limit = 32
    /// After this long in line a look is given up; shorter than the coordinator's patience.
    private static let patience = Duration.seconds(600)

    private struct Waiting: Sendable {
        let look: PageLook
        let since: ContinuousClock.Instant
    }

    private let inspector: PageInspector
    private let runner: SandboxRunner
    private let store: DirectoryBlobStore
    private let transfer: any BlobTransfer
    private let reporting: any CheckReporting
    private let pool: BlockingPool
    private let logger: Logger
    /// Handed in, and not yet judged; the oldest first.
    private let expected = Mutex<[PageLook]>([])
    private let line: AsyncStream<Waiting>
    private let entrance: AsyncStream<Waiting>.Continuation

    init(
        inspector: PageInspector, runner: SandboxRunner, store: DirectoryBlobStore, transfer: any BlobTransfer,
        reporting: any CheckReporting, pool: BlockingPool, logger: Logger
    ) {
        self.inspector = inspector
        self.runner = runner
        self.store = store
        self.transfer = transfer
        self.reporting = reporting
        self.pool = pool
        self.logger = logger
        (line, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.limit))
    }

    /// To be called before the result is handed in.
    func expect(_ look: PageLook) {
        expected.withLock { looks in
            looks.append(look)
            if looks.count > Self.limit { looks.removeFirst() }
        }
    }

    /// The coordinator has decided about a result.
    func judge(_ lease: JobLease, _ verdict: CompletionVerdict) {
        let look = expected.withLock { looks -> PageLook? in
            guard let index = looks.firstIndex(where: { $0.lease == lease }) else { return nil }
            return looks.remove(at: index)
        }
        // A duplicate is one whose first answer got lost.
        if let look, verdict != .stale { entrance.yield(Waiting(look: look, since: .now)) }
    }

    /// Works until the task is cancelled.
    func run() async {
        do {
            try await pool.run { [inspector] in try inspector.prepare() }
        } catch {
            return logger.error("Could not make the folder for pages", metadata: ["error": "\(error)"])
        }
        for await waiting in line {
            let look = waiting.look
            do {
                try await perform(look, since: waiting.since)
            } catch is CancellationError {
                return
            } catch let error as ServiceError where error.code == .permissionDenied {
                // No version was made of the result, or it was taken too long ago.
                logger.info("Nobody waits for a look at pages", metadata: ["job.id": "\(look.lease.job)"])
            } catch {
                logger.warning(
                    "Could not hand in what a browser saw",
                    metadata: ["job.id": "\(look.lease.job)", "error": "\(error)"])
            }
        }
    }

    private func perform(_ look: PageLook, since: ContinuousClock.Instant) async throws {
        let access = BlobAccess.checks(look.lease)
        let deadline = since + Self.patience
        // Asks whether the version was made at all, before a browser is started.
        _ = try await whileUnavailable(until: deadline) {
            try await transfer.findMissing([look.version], for: access)
        }
        let room = Workspace(path: "\(inspector.directory)/\(look.lease.job)-\(look.lease.attempt)")
        do {
            let (checks, pictures) = try await see(look, in: room, before: deadline)
            do {
                try await handIn(checks, pictures, of: look, from: room, until: deadline)
            } catch let error as ServiceError where error.rule == "picture-missing" {
                // Somebody cleaned up between the two: once more.
                try await handIn(checks, pictures, of: look, from: room, until: deadline)
            }
            logger.notice(
                "Looked at pages",
                metadata: [
                    "job.id": "\(look.lease.job)", "findings": "\(checks.findings.count)",
                    "pictures": "\(checks.pictures.count)",
                    "obstacle": "\(checks.checks.first { !$0.obstacle.isEmpty }?.obstacle ?? "")",
                ])
        } catch {
            await remove(room)
            throw error
        }
        await remove(room)
    }

    private func see(
        _ look: PageLook, in room: Workspace, before deadline: ContinuousClock.Instant
    ) async throws -> (checks: PageChecks, pictures: [ContentDigest: [UInt8]]) {
        // As long as a look takes at most.
        guard ContinuousClock.now + .seconds(180) < deadline else {
            return (.impossible(because: "this worker had too many other pages to look at"), [:])
        }
        var base: Manifest?
        let version: Manifest
        do {
            if let digest = look.base { base = try await store.manifest(digest) }
            version = try await store.manifest(look.version)
        } catch {
            return (.impossible(because: "this worker does not have the files any more"), [:])
        }
        let seen = await inspector.inspect(
            version, since: base, pages: look.pages, in: room, from: store, by: runner, pool: pool)
        try Task.checkCancellation()
        return seen
    }

    private func handIn(
        _ checks: PageChecks, _ pictures: [ContentDigest: [UInt8]], of look: PageLook, from room: Workspace,
        until deadline: ContinuousClock.Instant
    ) async throws {
        var report = checks
        do {
            try await send(pictures, from: room, for: .checks(look.lease), until: deadline)
        } catch let error as ServiceError where error.code != .permissionDenied && error.code != .unavailable {
            // What was found is worth having without them, such as when a disk is full.
            report.pictures = []
            report.before = []
            report.checks = checks.checks.map { check in
                [.screenshots, .difference].contains(check.name)
                    ? PageChecks.Check(check.name, obstacle: "the pictures could not be kept: \(error.message)")
                    : check
            }
        }
        let said = report
        try await whileUnavailable(until: deadline) { try await reporting.report(said, of: look.lease) }
    }

    /// By a store of their own, which goes with the folder.
    private func send(
        _ pictures: [ContentDigest: [UInt8]], from room: Workspace, for access: BlobAccess,
        until deadline: ContinuousClock.Instant
    ) async throws {
        guard !pictures.isEmpty else { return }
        let album = try await DirectoryBlobStore(directory: room.path + "/album", pool: pool)
        for bytes in pictures.values { try await album.put(bytes) }
        try await whileUnavailable(until: deadline) {
            let missing = try await transfer.findMissing(pictures.keys.sorted(), for: access)
            if !missing.isEmpty { _ = try await transfer.upload(missing, from: album, for: access) }
        }
    }

    private func remove(_ room: Workspace) async {
        await pool.runEvenIfCancelled { [logger] in
            do {
                try room.remove()
            } catch {
                logger.warning("Could not delete a folder", metadata: ["folder": "\(room.path)", "error": "\(error)"])
            }
        }
    }

    private func whileUnavailable<Value: Sendable>(
        until deadline: ContinuousClock.Instant, _ body: () async throws -> Value
    ) async throws -> Value {
        var delay = Duration.milliseconds(250)
        while true {
            do {
                return try await body()
            } catch let error as ServiceError where error.code == .unavailable && ContinuousClock.now < deadline {
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(8))
            }
        }
    }
}
