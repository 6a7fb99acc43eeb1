import AgentCore
import AgentProtocol
import Artifacts
import BlockingIO
import Domain
import FleetIdentity
import Foundation
import GRPCCore
import NIOCore
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

struct BlobClientTests {
    /// Serves what is in its shelf, and may be told to misbehave.
    final class Shelf: Pagewright_Agent_V1_Blobs.SimpleServiceProtocol {
        typealias Piece = Pagewright_Agent_V1_BlobPiece
        let blobs = Mutex<[ContentDigest: [UInt8]]>([:])
        let manifest = Mutex<ManifestReply?>(nil)
        let requestedBases = Mutex<[ContentDigest]>([])
        /// Changes what is sent.
        let tamper: @Sendable ([Piece]) -> [Piece]
        let stalls: Bool
        /// Where it says that blobs can be had, to those who can fetch from there.
        let lends: String?

        init(
            stalls: Bool = false, lends: String? = nil, tamper: @escaping @Sendable ([Piece]) -> [Piece] = { $0 }
        ) {
            self.tamper = tamper
            self.stalls = stalls
            self.lends = lends
        }

        func add(_ bytes: [UInt8]) -> ContentDigest {
            let digest = ContentDigest(hashing: bytes)
            blobs.withLock { $0[digest] = bytes }
            return digest
        }

        func findMissing(
            request: Pagewright_Agent_V1_FindMissingRequest, context: ServerContext
        ) async throws -> Pagewright_Agent_V1_FindMissingResponse {
            let asked = try Field.digests(request.digests, "digests", atMost: BlobLimits.digestsInOneCall)
            return .with { response in
                response.missing = blobs.withLock { blobs in asked.filter { blobs[$0] == nil } }.map { Data($0.bytes) }
            }
        }

        func getManifest(
            request: Pagewright_Agent_V1_GetManifestRequest, context: ServerContext
        ) async throws -> Pagewright_Agent_V1_GetManifestResponse {
            let known = try Field.digests(request.known, "known", atMost: BlobLimits.knownManifests)
            requestedBases.withLock { $0 = known }
            guard let reply = manifest.withLock({ $0 }) else { throw ServiceError(.notFound, "there is no manifest") }
            return reply.wire
        }

        func get(
            request: Pagewright_Agent_V1_GetBlobsRequest, response: RPCWriter<Piece>, context: ServerContext
        ) async throws {
            _ = try BlobAccess(wire: request.access)
            if let lends, request.acceptsAddresses {
                for digest in request.digests {
                    try await response.write(
                        .with {
                            $0.digest = digest
                            $0.address = lends
                            $0.addressSeconds = 60
                        })
                }
                return
            }
            var pieces: [Piece] = []
            for digest in try Field.digests(request.digests, "digests", atMost: BlobLimits.digestsInOneCall) {
                guard let bytes = blobs.withLock({ $0[digest] }) else { throw ServiceError(.notFound, "not here") }
                var start = 0
                repeat {
                    let end = min(bytes.count, start + 300_000)
                    pieces.append(
                        .with {
                            if start == 0 {
                                $0.digest = Data(digest.bytes)
                                $0.sizeBytes = Int64(bytes.count)
                            }
                            $0.data = Data(bytes[start..<end])
                        })
                    start = end
                } while start < bytes.count
            }
            for piece in tamper(pieces) { try await response.write(piece) }
            if stalls { try await context.cancellation.cancelled }
        }

        func put(
            request: RPCAsyncSequence<Pagewright_Agent_V1_PutBlobsRequest, any Error>, context: ServerContext
        ) async throws -> Pagewright_Agent_V1_PutBlobsResponse {
            var received: [(ContentDigest, Int64, [UInt8])] = []
            var isFirst = true
            for try await frame in request {
                if isFirst {
                    _ = try BlobAccess(wire: frame.access)
                    isFirst = false
                    continue
                }
                #expect(frame.piece.data.count <= BlobLimits.largestPiece)
                if !frame.piece.digest.isEmpty {
                    received.append((try Field.digest(frame.piece.digest, "digest"), frame.piece.sizeBytes, []))
                }
                received[received.count - 1].2 += Array(frame.piece.data)
            }
            for (digest, size, bytes) in received {
                #expect(ContentDigest(hashing: bytes) == digest)
                #expect(bytes.count == Int(size))
                _ = add(bytes)
            }
            return .init()
        }
    }

    private let access = BlobAccess.site(Sample.site)

    private func withClient(
        _ shelf: Shelf, silence: Duration = .seconds(30),
        _ body: @Sendable @escaping (BlobClient, DirectoryBlobStore) async throws -> Void
    ) async throws {
        try await TestCoordinator.run(blobs: shelf) { coordinator in
            let (identity, _) = try coordinator.makeIdentity()
            var timing = BlobClient.Timing()
            timing.silence = silence
            let client = try BlobClient(
                identity: identity, connection: try CoordinatorConnection(identity: identity, clock: HostClock()),
                timing: timing, logger: .silent)
            let store = try await DirectoryBlobStore(
                directory: coordinator.directory + "/blobs", pool: TestCoordinator.pool)
            try await running([client.run]) { try await body(client, store) }
        }
    }

    private static func noise(_ count: Int, seed: UInt8) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) ^ seed }
    }

    @Test("Blobs of every size arrive whole, and exactly those that were asked for")
    func fetches() async throws {
        let shelf = Shelf()
        let contents = [
            [], [1], Self.noise(299_999, seed: 1), Self.noise(300_000, seed: 2), Self.noise(2_000_000, seed: 3),
        ]
        let digests = contents.map(shelf.add)
        let other = shelf.add(Array("other".utf8))
        try await withClient(shelf) { client, store in
            let summary = try await client.fetch(digests, for: access, into: store)
            #expect(summary == TransferSummary(files: 5, bytes: 2_600_000))
            for (digest, content) in zip(digests, contents) {
                #expect(try await store.read(digest, limit: 1 << 22) == content)
            }
            #expect(try await store.missing(among: [other]) == [other])
            #expect(try await client.fetch([], for: access, into: store) == .zero)
        }
    }

    @Test(
        "Content that is not what it says is refused, and nothing of it is kept",
        arguments: ["bit", "short", "long", "swapped", "unasked", "headless", "silent end"])
    func corrupted(kind: String) async throws {
        let shelf = Shelf { pieces in
            var pieces = pieces
            switch kind {
            case "bit": pieces[1].data[7] ^= 1
            case "short": pieces.remove(at: 1)
            case "long": pieces[1].data.append(0)
            case "swapped": pieces.swapAt(0, pieces.count - 1)
            case "unasked": pieces[0].digest = Data(repeating: 7, count: 32)
            case "headless": pieces[0].digest = Data()
            default: pieces.removeAll()
            }
            return pieces
        }
        let digests = [shelf.add(Self.noise(900_000, seed: 1)), shelf.add([1, 2, 3])]
        try await withClient(shelf) { client, store in
            await #expect(throws: ServiceError.self) { try await client.fetch(digests, for: access, into: store) }
            let missing = try await store.missing(among: digests)
            #expect(missing == digests)
        }
    }

    @Test(
        "What the store does not give comes from the coordinator",
        arguments: ["https://127.0.0.1:PORT/x?y", "https://nowhere.invalid/x"])
    func lentInVain(address: String) async throws {
        let nobody = try freePorts(1)[0]
        let shelf = Shelf(lends: address.replacing("PORT", with: "\(nobody)"))
        let contents = (0..<20).map { Self.noise(1000 + $0, seed: UInt8($0)) }
        let digests = contents.map(shelf.add)
        try await withClient(shelf) { client, store in
            let summary = try await client.fetch(digests, for: access, into: store)
            #expect(summary == TransferSummary(files: 20, bytes: contents.reduce(0) { $0 + Int64($1.count) }))
            #expect(try await store.missing(among: digests).isEmpty)
        }
    }

    @Test(
        "An address that is not plainly https is refused",
        arguments: ["http://store/x", "https://user@store/x", "https://store", "https://store:99999/x", "file:///x"])
    func badAddress(address: String) async throws {
        let shelf = Shelf(lends: address)
        let digest = shelf.add([1])
        try await withClient(shelf) { client, store in
            let error = await #expect(throws: ServiceError.self) {
                try await client.fetch([digest], for: access, into: store)
            }
            #expect(error?.rule == "blob-address")
        }
    }

    @Test("A transfer in which nothing moves any more fails")
    func stalled() async throws {
        let shelf = Shelf(stalls: true) { Array($0.prefix(1)) }
        let digest = shelf.add(Self.noise(900_000, seed: 1))
        try await withClient(shelf, silence: .milliseconds(200)) { client, store in
            let error = await #expect(throws: ServiceError.self) {
                try await client.fetch([digest], for: access, into: store)
            }
            #expect(error?.rule == "peer-silence")
        }
    }

    @Test("What the coordinator does not have comes with its own error")
    func notThere() async throws {
        try await withClient(Shelf()) { client, store in
            let error = await #expect(throws: ServiceError.self) {
                try await client.fetch([ContentDigest(hashing: [1])], for: access, into: store)
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test("Blobs that are sent arrive whole, and are missing no longer")
    func uploads() async throws {
        let shelf = Shelf()
        try await withClient(shelf) { client, store in
            let contents = [[], Array("hello".utf8), Self.noise(1_500_000, seed: 9)]
            var digests: [ContentDigest] = []
            for content in contents { digests.append(try await store.put(content)) }
            let access = BlobAccess.lease(Sample.lease())
            #expect(try await client.findMissing(digests, for: access) == digests)
            let summary = try await client.upload(digests, from: store, for: access)
            #expect(summary == TransferSummary(files: 3, bytes: 1_500_005))
            let missing = try await client.findMissing(digests, for: access)
            #expect(missing.isEmpty)
            await #expect(throws: ServiceError.self) {
                try await client.upload([ContentDigest(hashing: [9])], from: store, for: access)
            }
        }
    }

    @Test("More digests than fit in one call go in several")
    func many() async throws {
        let shelf = Shelf()
        let digests = (0..<25_000).map { number in ContentDigest(hashing: Array("\(number)".utf8)) }
        try await withClient(shelf) { client, _ in
            let missing = try await client.findMissing(digests, for: access)
            #expect(missing == digests)
        }
    }

    @Test("A manifest comes as the difference to one that is here, and is checked against its name")
    func manifests() async throws {
        func entry(_ path: String, _ text: String) throws -> Manifest.Entry {
            Manifest.Entry(
                path: try SitePath(path), sizeInBytes: Int64(text.utf8.count),
                digest: ContentDigest(hashing: Array(text.utf8)))
        }
        let old = try Manifest([try entry("a", "1"), try entry("b", "2")])
        let new = try Manifest([try entry("a", "1"), try entry("c", "3")])
        let shelf = Shelf()
        let delta = ManifestDelta(from: old, to: new)
        try await withClient(shelf) { client, _ in
            shelf.manifest.withLock { $0 = ManifestReply(base: old.digest, changes: delta) }
            let known = [old.digest: old]
            let fetched = try await client.fetchManifest(new.digest, for: access, known: known)
            #expect(fetched.manifest == new)
            #expect(fetched.wireBytes > 0)
            #expect(shelf.requestedBases.withLock { $0 } == [old.digest])
            let same = try await client.fetchManifest(old.digest, for: access, known: known)
            #expect(same.wireBytes == 0)

            shelf.manifest.withLock {
                $0 = ManifestReply(base: nil, changes: ManifestDelta(from: try! Manifest([]), to: new))
            }
            let whole = try await client.fetchManifest(new.digest, for: access, known: [:])
            #expect(whole.manifest == new)

            let wrong = await #expect(throws: ServiceError.self) {
                try await client.fetchManifest(old.digest, for: access, known: [:])
            }
            #expect(wrong?.rule == "manifest-digest")
            shelf.manifest.withLock { $0 = ManifestReply(base: old.digest, changes: delta) }
            let stranger = await #expect(throws: ServiceError.self) {
                try await client.fetchManifest(new.digest, for: access, known: [:])
            }
            #expect(stranger?.field == "base")
        }
    }
}
