import Artifacts
import Domain
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Fetches blobs from where the coordinator said that they can be had, so that their bytes do not pass through it.
///
/// Nothing there is trusted: only https, no redirects, no more bytes than a file may have, and every hash is checked. What
/// does not come is no failure: the caller gets it from the coordinator.
struct LentBlobDownload: Sendable {
    struct Result: Sendable {
        var summary = TransferSummary.zero
        /// What is to be had otherwise, in no order.
        var failed: [ContentDigest] = []
        /// Why the first of these did not come.
        var reason: (any Error)?
    }

    private static let connections = 6
    /// A place that fails so often is not asked for the rest.
    private static let patience = 3

    let store: any BlobStore
    /// Between two pieces.
    let silence: Duration
    let bytesInOneBatch: Int64

    /// Throws only when the task is cancelled or this host's own disk fails.
    func fetch(_ lent: LentBlobs) async throws -> Result {
        let context: NIOSSLContext
        do {
            context = try Self.context(trusting: lent.authorities)
        } catch {
            return Result(failed: lent.blobs.map(\.digest), reason: error)
        }
        var result = Result()
        var rest = lent.blobs[...]
        while !rest.isEmpty {
            let batch = try await store.makeBatch()
            do {
                let round = Round(rest, limit: bytesInOneBatch, patience: Self.patience)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<min(Self.connections, rest.count) {
                        group.addTask { try await work(as: worker, on: round, into: batch, context) }
                    }
                    try await group.waitForAll()
                }
                try await batch.commit()
                let outcome = round.outcome
                result.summary = result.summary + outcome.summary
                result.failed += outcome.failed
                result.reason = result.reason ?? outcome.reason
                rest = outcome.untouched
            } catch {
                await batch.discard()
                throw error
            }
        }
        return result
    }

    private static func context(trusting authorities: String) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if !authorities.isEmpty {
            configuration.additionalTrustRoots = [
                .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
            ]
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// One connection after the other, each for as long as it works.
    private func work(
        as worker: Int, on round: Round, into batch: any BlobBatch, _ context: NIOSSLContext
    ) async throws {
        while let first = round.take(worker) {
            do {
                try await converse(beginningWith: first, as: worker, on: round, into: batch, context)
            } catch let error as ServiceError where error.code == .storageFull {
                throw error
            } catch {
                try Task.checkCancellation()
                round.noteFailure(worker, error)
            }
        }
    }

    /// Asks for `first`, and for what comes after it at the same place, over one connection. Throws when one did not come.
    private func converse(
        beginningWith first: LentBlobs.Blob, as worker: Int, on round: Round, into batch: any BlobBatch,
        _ context: NIOSSLContext
    ) async throws {
        let address = first.address
        let watch = SilenceWatch("the store of the blobs")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let channel = try await Self.connect(to: address, context)
                try await channel.executeThenClose { answers, requests in
                    var parts = answers.makeAsyncIterator()
                    var next: LentBlobs.Blob? = first
                    while let blob = next {
                        watch.heard()
                        try await requests.write(.head(Self.head(blob.address)))
                        try await requests.write(.end(nil))
                        var answer = LentAnswer(digest: blob.digest, batch: batch)
                        var size: Int64?
                        while size == nil {
                            guard let part = try await parts.next() else { throw LentAnswer.refuse("hung up") }
                            watch.heard()
                            size = try await answer.take(part)
                        }
                        round.noteSuccess(worker, sizeInBytes: size ?? 0)
                        next = round.take(worker, from: address)
                    }
                }
            }
            group.addTask { try await watch.wait(limit: silence) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func connect(
        to address: DownloadAddress, _ context: NIOSSLContext
    ) async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
        // An address of the network cannot be said as a name in TLS; the certificate has to be for it all the same.
        let isName = (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil
        return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(5))
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        try NIOSSLClientHandler(context: context, serverHostname: isName ? address.host : nil))
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    private static func head(_ address: DownloadAddress) -> HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1, method: .GET, uri: address.target,
            headers: ["host": address.authority, "user-agent": "pagewright-agent"])
    }

    /// Who fetches what, until one batch is full.
    private final class Round: Sendable {
        struct Outcome: Sendable {
            var summary = TransferSummary.zero
            var failed: [ContentDigest] = []
            var reason: (any Error)?
            /// Not begun.
            var untouched: ArraySlice<LentBlobs.Blob>
        }

        private struct State {
            var outcome: Outcome
            var failures = 0
            /// What each worker is about.
            var current: [Int: LentBlobs.Blob] = [:]
        }

        private let limit: Int64
        private let patience: Int
        private let state: Mutex<State>

        init(_ blobs: ArraySlice<LentBlobs.Blob>, limit: Int64, patience: Int) {
            self.limit = limit
            self.patience = patience
            state = Mutex(State(outcome: Outcome(untouched: blobs)))
        }

        var outcome: Outcome { state.withLock { $0.outcome } }

        /// The next blob, if it is to be had at `address` or that does not matter; `nil` when the batch is full.
        func take(_ worker: Int, from address: DownloadAddress? = nil) -> LentBlobs.Blob? {
            state.withLock { state in
                while state.outcome.summary.bytes < limit, let blob = state.outcome.untouched.first {
                    if let address, address.authority != blob.address.authority { return nil }
                    state.outcome.untouched.removeFirst()
                    guard blob.deadline > .now else {
                        state.outcome.failed.append(blob.digest)
                        continue
                    }
                    state.current[worker] = blob
                    return blob
                }
                return nil
            }
        }

        func noteSuccess(_ worker: Int, sizeInBytes: Int64) {
            state.withLock { state in
                state.current[worker] = nil
                state.outcome.summary = state.outcome.summary + TransferSummary(files: 1, bytes: sizeInBytes)
            }
        }

        func noteFailure(_ worker: Int, _ error: any Error) {
            state.withLock { state in
                state.failures += 1
                state.outcome.reason = state.outcome.reason ?? error
                if let blob = state.current.removeValue(forKey: worker) { state.outcome.failed.append(blob.digest) }
                guard state.failures >= patience else { return }
                state.outcome.failed += state.outcome.untouched.map(\.digest)
                state.outcome.untouched = []
            }
        }
    }
}
