import AgentCore
import Artifacts
import Domain
import NIOCore
import Synchronization

/// Another store stands for the coordinator's. Counts what moves, and fails or waits when told to.
final class TestTransfer: BlobTransfer {
    struct State {
        var failure: ServiceError?
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var requests: [BlobAccess] = []
        var known: [Set<ContentDigest>] = []
    }

    let remote: DirectoryBlobStore
    private let state = Mutex(State())
    let began = AsyncStream.makeStream(of: Void.self)

    init(remote: DirectoryBlobStore) { self.remote = remote }

    func fail(with error: ServiceError?) { state.withLock { $0.failure = error } }
    var requests: [BlobAccess] { state.withLock(\.requests) }
    var known: [Set<ContentDigest>] { state.withLock(\.known) }

    /// From now on fetches wait until ``release()``, or until they are cancelled.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let waiting = state.withLock { state in
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    private func pass(_ access: BlobAccess) async throws {
        let failure = state.withLock { state in
            state.requests.append(access)
            return state.failure
        }
        began.continuation.yield()
        if let failure { throw failure }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isHeld = state.withLock { state in
                    if state.isHeld, !Task.isCancelled { state.waiting.append(continuation) } else { return false }
                    return true
                }
                if !isHeld { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            for waiter in waiting { waiter.resume() }
        }
        try Task.checkCancellation()
    }

    func fetchManifest(
        _ digest: ContentDigest, for access: BlobAccess, known: [ContentDigest: Manifest]
    ) async throws -> FetchedManifest {
        try await pass(access)
        state.withLock { $0.known.append(Set(known.keys)) }
        return FetchedManifest(manifest: try await remote.manifest(digest), wireBytes: 100)
    }

    func fetch(
        _ digests: [ContentDigest], for access: BlobAccess, into store: any BlobStore
    ) async throws -> TransferSummary {
        try await pass(access)
        var summary = TransferSummary.zero
        let batch = try await store.makeBatch()
        do {
            for digest in digests {
                let writer = try await batch.makeWriter()
                try await remote.forEachPiece(of: digest, ofAtMost: 65_536) { piece in try await writer.write(piece) }
                let stored = try await writer.finish(expecting: digest)
                summary = summary + TransferSummary(files: 1, bytes: stored.sizeInBytes)
            }
            try await batch.commit()
        } catch {
            await batch.discard()
            throw error
        }
        return summary
    }

    func findMissing(_ digests: [ContentDigest], for access: BlobAccess) async throws -> [ContentDigest] {
        try await remote.missing(among: digests)
    }

    func upload(
        _ digests: [ContentDigest], from store: any BlobStore, for access: BlobAccess
    ) async throws -> TransferSummary { .zero }
}

/// Keeps what the role says, and lets tests wait for it.
final class TestOutbox: AgentOutbox {
    private let said = Mutex<[SiteStatus]>([])
    private let news = AsyncStream.makeStream(of: SiteStatus.self)

    func send(_ message: AgentMessage) -> Bool {
        guard case .siteStatus(let status) = message else { return true }
        said.withLock { $0.append(status) }
        news.continuation.yield(status)
        return true
    }

    var statuses: [SiteStatus] { said.withLock(\.self) }

    /// The next status about this generation of this site; those before it are skipped. For one task at a time.
    func next(_ site: SiteID, _ generation: Int64) async throws -> SiteStatus {
        try await withThrowingTaskGroup(of: SiteStatus?.self) { group in
            group.addTask { [news] in
                for await status in news.stream where status.site == site && status.generation == generation {
                    return status
                }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            guard let status = try await group.next(), let status else {
                throw ServiceError(.unavailable, "no status of generation \(generation) of \(site) came")
            }
            return status
        }
    }
}
