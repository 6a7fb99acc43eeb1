import AgentProtocol
package import Artifacts
package import Domain
import FoundationEssentials
import GRPCCore
package import Logging
import NIOCore
import ServiceLifecycle
import SwiftProtobuf

/// Blobs to and from the coordinator, on a connection of their own. Run it; calls before that wait for it.
///
/// Nothing that comes is believed: a manifest is checked against its digest, each blob against its name, and what was
/// not asked for is refused. A call that hears nothing for ``Timing/silence`` fails with `unavailable`.
package struct BlobClient: BlobTransfer, Service {
    package struct Timing: Sendable {
        /// For a call with one answer.
        package var answer = Duration.seconds(60)
        /// Between two pieces of a transfer.
        package var silence = Duration.seconds(30)

        package init() {}
    }

    /// How much is fetched before it is made durable, so that a broken transfer does not begin anew.
    static let bytesInOneBatch: Int64 = 256 << 20

    private let channels: RenewingChannel
    private let timing: Timing
    private let logger: Logger

    package init(
        identity: AgentIdentityHolder, connection: CoordinatorConnection, timing: Timing = Timing(), logger: Logger
    ) throws {
        channels = try RenewingChannel(identity: identity, connection: connection)
        self.timing = timing
        self.logger = logger
    }

    package func run() async throws {
        try await channels.run()
    }

    // MARK: Manifests

    package func fetchManifest(
        _ digest: ContentDigest, for access: BlobAccess, known: [ContentDigest: Manifest]
    ) async throws -> FetchedManifest {
        if let manifest = known[digest] { return FetchedManifest(manifest: manifest, wireBytes: 0) }
        let bases = Array(known.keys.prefix(BlobLimits.knownManifests))
        let response = try await call { api, options in
            try await api.getManifest(
                .with {
                    $0.access = access.wire
                    $0.digest = Data(digest.bytes)
                    $0.known = bases.map { Data($0.bytes) }
                }, options: options)
        }
        let reply = try ManifestReply(wire: response)
        var base = try Manifest([])
        if let name = reply.base {
            guard bases.contains(name), let manifest = known[name] else {
                throw Field.refuse("base", "is a manifest that this host does not have")
            }
            base = manifest
        }
        let manifest = try reply.changes.applied(to: base)
        guard manifest.digest == digest else {
            throw ServiceError(
                .validationFailed, "the manifest that came is not \(digest.abbreviated)", rule: "manifest-digest",
                nextStep: "It is asked for again; if this stays, check the coordinator's disk.")
        }
        let wireBytes = try response.serializedBytes() as [UInt8]
        return FetchedManifest(manifest: manifest, wireBytes: Int64(wireBytes.count))
    }

    package func findMissing(_ digests: [ContentDigest], for access: BlobAccess) async throws -> [ContentDigest] {
        var missing: [ContentDigest] = []
        for part in digests.parts(ofAtMost: BlobLimits.digestsInOneCall) {
            let response = try await call { api, options in
                try await api.findMissing(
                    .with {
                        $0.access = access.wire
                        $0.digests = part.map { Data($0.bytes) }
                    }, options: options)
            }
            let answer = Set(try Field.digests(response.missing, "missing", atMost: part.count))
            guard answer.isSubset(of: part) else {
                throw Field.refuse("missing", "has a digest that was not asked about")
            }
            missing += part.filter(answer.contains)
        }
        return missing
    }

    private func call<Answer: Sendable>(
        _ body:
            @Sendable (Pagewright_Agent_V1_Blobs.Client<CoordinatorChannel.Transport>, CallOptions) async throws ->
            Answer
    ) async throws -> Answer {
        try await withChannel { try await body(Pagewright_Agent_V1_Blobs.Client(wrapping: $0), $1) }
    }

    /// Runs a call with one answer, on the connection that is open now.
    func withChannel<Answer: Sendable>(
        _ body: (GRPCClient<CoordinatorChannel.Transport>, CallOptions) async throws -> Answer
    ) async throws -> Answer {
        var options = CallOptions.defaults
        options.timeout = timing.answer
        options.waitForReady = true
        options.maxResponseMessageBytes = BlobLimits.largestManifestMessage
        let channel = channels.channel
        do {
            return try await body(channel.client, options)
        } catch {
            throw channel.explain(error)
        }
    }

    // MARK: Contents

    package func fetch(
        _ digests: [ContentDigest], for access: BlobAccess, into store: any BlobStore
    ) async throws -> TransferSummary {
        var summary = TransferSummary.zero
        var rest = ArraySlice(digests)
        while !rest.isEmpty {
            let (received, lent) = try await stream(
                rest.prefix(BlobLimits.digestsInOneCall), for: access, into: store, acceptingAddresses: true)
            rest = rest.dropFirst(received.files + lent.blobs.count)
            summary = summary + received
            guard !lent.blobs.isEmpty else { continue }
            let download = LentBlobDownload(
                store: store, silence: timing.silence, bytesInOneBatch: Self.bytesInOneBatch)
            let result = try await download.fetch(lent)
            summary = summary + result.summary
            guard !result.failed.isEmpty else { continue }
            logger.warning(
                "Could not read content from the store; it comes from the coordinator",
                metadata: [
                    "blobs": "\(result.failed.count)", "error": "\(result.reason.map { "\($0)" } ?? "expired")",
                ])
            summary = summary + (try await streamAll(result.failed, for: access, into: store))
        }
        return summary
    }

    /// From the coordinator itself.
    private func streamAll(
        _ digests: [ContentDigest], for access: BlobAccess, into store: any BlobStore
    ) async throws -> TransferSummary {
        var summary = TransferSummary.zero
        var rest = ArraySlice(digests)
        while !rest.isEmpty {
            let (received, _) = try await stream(
                rest.prefix(BlobLimits.digestsInOneCall), for: access, into: store, acceptingAddresses: false)
            rest = rest.dropFirst(received.files)
            summary = summary + received
        }
        return summary
    }

    /// One call: takes what comes, and keeps what is complete. Returns that, and what is to be had elsewhere.
    private func stream(
        _ part: ArraySlice<ContentDigest>, for access: BlobAccess, into store: any BlobStore,
        acceptingAddresses: Bool
    ) async throws -> (received: TransferSummary, lent: LentBlobs) {
        let batch = try await store.makeBatch()
        do {
            let result = try await transfer { api, options, watch in
                try await api.get(
                    .with {
                        $0.access = access.wire
                        $0.digests = part.map { Data($0.bytes) }
                        $0.acceptsAddresses = acceptingAddresses
                    }, options: options
                ) { response in
                    var incoming = IncomingBlobs(asked: part, batch: batch, acceptsAddresses: acceptingAddresses)
                    for try await piece in response.messages {
                        watch.heard()
                        try await incoming.receive(piece)
                        // What is complete is kept now; the rest is asked for again.
                        if incoming.summary.bytes >= Self.bytesInOneBatch, incoming.isBetweenBlobs { break }
                    }
                    return (try incoming.finish(), incoming.lent)
                }
            }
            try await batch.commit()
            return result
        } catch {
            await batch.discard()
            throw error
        }
    }

    package func upload(
        _ digests: [ContentDigest], from store: any BlobStore, for access: BlobAccess
    ) async throws -> TransferSummary {
        var summary = TransferSummary.zero
        for part in digests.parts(ofAtMost: BlobLimits.digestsInOneCall) {
            var sizes: [(digest: ContentDigest, size: Int64)] = []
            for digest in part {
                guard let size = try await store.sizeInBytes(of: digest) else {
                    throw ServiceError(.notFound, "the content \(digest.abbreviated) is not on this host")
                }
                sizes.append((digest, size))
            }
            let blobs = sizes
            try await transfer { api, options, watch in
                _ = try await api.put(options: options) { writer in
                    try await writer.write(.with { $0.access = access.wire })
                    for (digest, size) in blobs {
                        try await Self.send(digest, size: size, from: store, to: writer, watch: watch)
                    }
                }
            }
            summary = summary + TransferSummary(files: blobs.count, bytes: blobs.reduce(0) { $0 + $1.size })
        }
        return summary
    }

    private static func send(
        _ digest: ContentDigest, size: Int64, from store: any BlobStore,
        to writer: RPCWriter<Pagewright_Agent_V1_PutBlobsRequest>, watch: SilenceWatch
    ) async throws {
        var isFirst = true
        func write(_ data: Data) async throws {
            let message = Pagewright_Agent_V1_PutBlobsRequest.with {
                $0.piece = .with {
                    if isFirst {
                        $0.digest = Data(digest.bytes)
                        $0.sizeBytes = size
                    }
                    $0.data = data
                }
            }
            isFirst = false
            try await writer.write(message)
            watch.heard()
        }
        try await store.forEachPiece(of: digest, ofAtMost: 2 * BlobLimits.smallestPiece) { piece in
            try await write(Data(piece.readableBytesView))
        }
        // An empty blob has no piece of its own, and is announced all the same.
        if isFirst { try await write(Data()) }
    }

    /// Runs one streaming call that may take as long as something moves.
    private func transfer<Result: Sendable>(
        _ body:
            @escaping @Sendable (
                Pagewright_Agent_V1_Blobs.Client<CoordinatorChannel.Transport>, CallOptions, SilenceWatch
            ) async throws -> Result
    ) async throws -> Result {
        var options = CallOptions.defaults
        options.waitForReady = true
        options.maxResponseMessageBytes = BlobLimits.largestMessage
        let channel = channels.channel
        let watch = SilenceWatch("the coordinator's blob service")
        do {
            return try await withThrowingTaskGroup(of: Result.self) { [options] group in
                group.addTask {
                    try await body(Pagewright_Agent_V1_Blobs.Client(wrapping: channel.client), options, watch)
                }
                group.addTask { [timing] in try await watch.wait(limit: timing.silence) }
                defer { group.cancelAll() }
                return try await group.next()!
            }
        } catch {
            throw channel.explain(error)
        }
    }
}

extension Array {
    func parts(ofAtMost size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min(count, $0 + size)]) }
    }
}
