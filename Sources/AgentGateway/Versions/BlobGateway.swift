import AgentProtocol
import Artifacts
import Coordinator
import Domain
import Faults
import FoundationEssentials
import GRPCCore
import Metrics
import NIOCore
import SwiftProtobuf
import Telemetry

/// Bulk data to and from agents.
struct BlobGateway: Pagewright_Agent_V1_Blobs.SimpleServiceProtocol {
    /// gRPC's own copies grow with the size of a message; this is near the quickest.
    private static let pieceSize = 512 << 10
    private static let maximumPieceSize = 1 << 20
    /// How long a host may take to fetch what it was told the address of.
    private static let lifetime = Duration.seconds(900)

    let exchange: BlobExchange
    let identity: AgentIdentityCheck
    let calls: OpenCalls

    func findMissing(
        request: Pagewright_Agent_V1_FindMissingRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_FindMissingResponse {
        let host = try await identity.host(context)
        let digests = try Field.digests(request.digests, "digests", atMost: BlobExchange.maximumDigests)
        let missing = try await exchange.missing(
            among: digests, access: try BlobAccess(wire: request.access), host: host)
        return .with { $0.missing = missing.map { Data($0.bytes) } }
    }

    func getManifest(
        request: Pagewright_Agent_V1_GetManifestRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_GetManifestResponse {
        let host = try await identity.host(context)
        let answer = try await exchange.manifest(
            try Field.digest(request.digest, "digest"), known: try Field.digests(request.known, "known", atMost: 16),
            access: try BlobAccess(wire: request.access), host: host)
        return ManifestReply(base: answer.base, changes: answer.delta).wire
    }

    func get(
        request: Pagewright_Agent_V1_GetBlobsRequest, response: RPCWriter<Pagewright_Agent_V1_BlobPiece>,
        context: ServerContext
    ) async throws {
        let host = try await identity.host(context)
        let digests = try Field.digests(request.digests, "digests", atMost: BlobExchange.maximumDigests)
        let store = try await exchange.open(digests, access: try BlobAccess(wire: request.access), host: host)
        try await calls.during(host) { try await send(digests, of: store, answering: request, to: response) }
    }

    private func send(
        _ digests: [ContentDigest], of store: any BlobStore, answering request: Pagewright_Agent_V1_GetBlobsRequest,
        to response: RPCWriter<Pagewright_Agent_V1_BlobPiece>
    ) async throws {
        if request.acceptsAddresses, try await lend(digests, of: store, to: response) { return }
        for digest in digests {
            guard let size = try await store.sizeInBytes(of: digest) else {
                throw ServiceError(.internalError, "the content \(digest.abbreviated) is missing from the store")
            }
            var isFirst = true
            func piece(_ data: Data) -> Pagewright_Agent_V1_BlobPiece {
                .with {
                    if isFirst {
                        $0.digest = Data(digest.bytes)
                        $0.sizeBytes = size
                    }
                    $0.data = data
                }
            }
            try await store.forEachPiece(of: digest, ofAtMost: Self.pieceSize) { bytes in
                try await response.write(piece(Data(bytes.readableBytesView)))
                isFirst = false
                MetricsSystem.factory.increment(.blobBytesSent, by: bytes.readableBytes)
            }
            // An empty blob has no piece of its own, and is announced all the same.
            if isFirst { try await response.write(piece(Data())) }
        }
    }

    /// Tells where the blobs can be had, when the store allows that; their bytes then do not pass through here. Returns
    /// whether it did.
    private func lend(
        _ digests: [ContentDigest], of store: any BlobStore, to response: RPCWriter<Pagewright_Agent_V1_BlobPiece>
    ) async throws -> Bool {
        guard let store = store as? any AddressableBlobStore else { return false }
        var isFirst = true
        for digest in digests {
            guard let address = try await store.address(of: digest, lifetime: Self.lifetime) else { return false }
            try await response.write(
                .with {
                    $0.digest = Data(digest.bytes)
                    $0.address = address.url
                    $0.addressSeconds = Self.lifetime.components.seconds
                    if isFirst { $0.addressAuthorities = address.authorities }
                })
            isFirst = false
        }
        return !isFirst
    }

    func put(
        request: RPCAsyncSequence<Pagewright_Agent_V1_PutBlobsRequest, any Error>, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_PutBlobsResponse {
        let host = try await identity.host(context)
        return try await calls.during(host) { try await receive(request, from: host) }
    }

    private func receive(
        _ request: RPCAsyncSequence<Pagewright_Agent_V1_PutBlobsRequest, any Error>, from host: HostID
    ) async throws -> Pagewright_Agent_V1_PutBlobsResponse {
        var frames = request.makeAsyncIterator()
        guard let first = try await frames.next(), case .access(let access) = first.frame else {
            throw Field.refuse(
                "access", "is missing: the first message says why the caller may add", rule: "field-missing")
        }
        let batch = try await exchange.makeBatch(access: try BlobAccess(wire: access), host: host)
        do {
            var receiver = BlobReceiver(batch: batch)
            while let frame = try await frames.next() {
                guard case .piece(let piece) = frame.frame else {
                    throw Field.refuse("piece", "is missing", rule: "field-missing")
                }
                guard piece.data.count <= Self.maximumPieceSize else {
                    throw Field.refuse("data", "has more than 1 MiB", rule: "field-length")
                }
                try await receiver.receive(piece)
                FaultPoint.blobsArriving.reach()
                MetricsSystem.factory.increment(.blobBytesReceived, by: piece.data.count)
            }
            let stored = try await receiver.finish()
            // An upload takes its time; whoever was shut out meanwhile, by whatever coordinator, adds nothing.
            try Task.checkCancellation()
            try await identity.membership.confirm(host)
            try await batch.commit()
            FaultPoint.blobsReceived.reach()
            return .with {
                $0.stored = Int64(stored.count)
                $0.storedBytes = stored.reduce(0) { $0 + $1.sizeInBytes }
            }
        } catch {
            await batch.discard()
            throw error
        }
    }
}
