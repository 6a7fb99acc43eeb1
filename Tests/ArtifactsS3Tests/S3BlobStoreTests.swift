import Artifacts
import Domain
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import ArtifactsS3

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What the store does beyond the promises of every blob store, against SeaweedFS.
@Suite("A store in S3", .timeLimit(.minutes(3)))
struct S3BlobStoreTests {
    @Test("Keeps a blob under its prefix, its first two digits and its name")
    func layout() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let digest = try await store.put(Array("hello".utf8))
            #expect(
                store.key(of: digest) == "pw/blobs/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
            let address = await store.client.presignedAddress(key: store.key(of: digest), lifetime: .seconds(60))
            let (data, _) = try await Self.get(address)
            #expect(data == Data("hello".utf8))
            #expect(try room.spooled() == [])
        }
    }

    @Test("Says which key is wrong, and nothing of the secret")
    func wrongKeys() async throws {
        try await S3Room.with { room in
            let wrongSecret = try await room.store(secretKey: "hidden")
            let wrongKey = try await room.store(accessKey: "NOBODY")
            for (store, rule) in [(wrongSecret, "s3-wrong-secret"), (wrongKey, "s3-wrong-key")] {
                let put = await #expect(throws: ServiceError.self) { try await store.put([1]) }
                #expect(put?.rule == rule)
                let head = await #expect(throws: ServiceError.self) {
                    try await store.missing(among: [ContentDigest(hashing: "x")])
                }
                #expect(head?.rule == rule, "an answer without a body is explained, too")
                let get = await #expect(throws: ServiceError.self) {
                    try await store.read(ContentDigest(hashing: "x"), limit: 10)
                }
                #expect(get?.rule == rule)
                #expect(!"\(String(describing: put))".contains("hidden"))
            }
            #expect(try room.spooled() == [], "what could not be sent does not stay behind")
        }
    }

    @Test("Says that the bucket is missing")
    func missingBucket() async throws {
        try await S3Room.with { room in
            let store = try await room.store(bucket: "no-such-bucket")
            let put = await #expect(throws: ServiceError.self) { try await store.put([1]) }
            #expect(put?.rule == "s3-bucket-missing")
            let get = await #expect(throws: ServiceError.self) {
                try await store.read(ContentDigest(hashing: "x"), limit: 10)
            }
            #expect(get?.rule == "s3-bucket-missing")
        }
    }

    @Test("Measures how wrong the clock is when the server refuses a request for it", arguments: [-1200, 1200])
    func clockSkew(seconds: Int) async throws {
        try await S3Room.with { room in
            let store = try await room.store(clockOffset: .seconds(seconds))
            let error = await #expect(throws: ServiceError.self) { try await store.put([1]) }
            #expect(error?.rule == "s3-clock-skew")
            let measured = try #require(error?.message.firstMatch(of: /(\d+) s (behind|ahead of)/))
            #expect(abs(Int(measured.1)! - 1200) < 120)
            #expect(measured.2 == (seconds < 0 ? "behind" : "ahead of"))
        }
    }

    @Test("Gives addresses that end, that fit one blob, and that nobody can change")
    func presigned() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let one = try await store.put([1])
            let two = try await store.put([2])
            let address = await store.client.presignedAddress(key: store.key(of: one), lifetime: .seconds(60))
            #expect(try await Self.get(address).status == 200)
            #expect(try await Self.get(address.replacing(one.text, with: two.text)).status == 403)
            #expect(try await Self.get(String(address.dropLast()) + (address.last == "0" ? "1" : "0")).status == 403)
            #expect(try await Self.get(address.replacing("Expires=60", with: "Expires=600")).status == 403)
            let past = try await room.store(clockOffset: .seconds(-120))
            let over = await past.client.presignedAddress(key: store.key(of: one), lifetime: .seconds(60))
            #expect(try await Self.get(over).status == 403)
            #expect(try await Self.get(address, method: "PUT").status == 403)
        }
    }

    @Test("Sends a large blob in parts, and reads it back")
    func multipart() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let content = S3Room.content(ofSize: 18_000_001)
            let digest = try await store.put(content)
            #expect(digest == ContentDigest(hashing: content))
            #expect(try await store.sizeInBytes(of: digest) == 18_000_001)
            #expect(try await store.read(digest, limit: 20_000_000) == content)
            // Once more: nothing is sent, and nothing is left.
            #expect(try await store.put(content) == digest)
            #expect(try room.spooled() == [])
        }
    }

    @Test("Keeps one of many that put the same key at once, and all of them succeed")
    func concurrentPuts() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let other = try await room.store()
            let content = S3Room.content(ofSize: 40_000)
            try await withThrowingTaskGroup(of: ContentDigest.self) { group in
                for number in 0..<24 {
                    group.addTask { try await (number.isMultiple(of: 2) ? store : other).put(content) }
                }
                for try await digest in group { #expect(digest == ContentDigest(hashing: content)) }
            }
            #expect(try await store.read(ContentDigest(hashing: content), limit: 40_000) == content)
        }
    }

    @Test("Reads on where a connection broke, as often as it moves on")
    func brokenDownloads() async throws {
        try await S3Room.with { room in
            let content = S3Room.content(ofSize: 3_000_000)
            let digest = try await room.store().put(content)
            try await CuttingProxy.with(
                target: room.server.port, { $0 <= 7 ? .cutAnswer(afterBytes: 350_000) : .none }
            ) { proxy in
                let store = try await room.store(port: proxy.port)
                var received: [UInt8] = []
                try await store.forEachPiece(of: digest, ofAtMost: 100_000) {
                    received.append(contentsOf: $0.readableBytesView)
                }
                #expect(received == content)
                #expect(proxy.connections > 7)
            }
        }
    }

    @Test("Repeats a request whose connection broke before or after it was carried out")
    func brokenRequests() async throws {
        try await S3Room.with { room in
            // The third byte of an answer: the server has done everything by then.
            try await CuttingProxy.with(
                target: room.server.port,
                { number in
                    switch number {
                    case 1: .cutRequest(afterBytes: 40)
                    case 2: .cutAnswer(afterBytes: 3)
                    case 3: .cutRequest(afterBytes: 10_000)
                    default: .none
                    }
                }
            ) { proxy in
                let store = try await room.store(port: proxy.port)
                let content = S3Room.content(ofSize: 30_000)
                let digest = try await store.put(content)
                #expect(try await store.read(digest, limit: 30_000) == content)
                #expect(proxy.connections >= 4)
            }
        }
    }

    @Test("Gives up after a bounded number of tries, and says that the server cannot be reached")
    func giveUp() async throws {
        try await S3Room.with { room in
            try await CuttingProxy.with(target: room.server.port, { _ in .cutRequest(afterBytes: 1) }) { proxy in
                let store = try await room.store(port: proxy.port)
                let error = await #expect(throws: ServiceError.self) {
                    try await store.read(ContentDigest(hashing: "x"), limit: 10)
                }
                #expect(error?.rule == "s3-unreachable")
                #expect(error?.code == .unavailable)
                #expect(proxy.connections == S3Backoff.brisk.attempts)
            }
            let nobody = try await room.store(port: try freePorts(1)[0])
            let error = await #expect(throws: ServiceError.self) {
                try await nobody.sizeInBytes(of: ContentDigest(hashing: "x"))
            }
            #expect(error?.rule == "s3-unreachable")
        }
    }

    @Test("Never takes for whole what a flipped bit changed on the wire", arguments: [5_000, 60_000, 99_000])
    func flippedOnTheWire(place: Int) async throws {
        try await S3Room.with { room in
            let content = S3Room.content(ofSize: 100_000)
            let digest = try await room.store().put(content)
            try await CuttingProxy.with(target: room.server.port, { _ in .flipBit(ofByte: place) }) { proxy in
                let store = try await room.store(port: proxy.port)
                await #expect(throws: ServiceError.self) { try await store.read(digest, limit: 100_000) }
                // On a connection of its own, so that it is treated the same.
                let other = try await room.store(port: proxy.port)
                await #expect(throws: ServiceError.self) {
                    try await other.forEachPiece(of: digest, ofAtMost: 1_000) { _ in }
                }
            }
        }
    }

    @Test("Never takes for whole what was changed in the bucket")
    func flippedInTheBucket() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let content = S3Room.content(ofSize: 10_000)
            let digest = try await store.put(content)
            for bit in [0, 40_001, 79_999] {
                var damaged = content
                damaged[bit / 8] ^= 1 << (bit % 8)
                try await Self.overwrite(digest, with: damaged, in: store)
                let error = await #expect(throws: ServiceError.self) { try await store.read(digest, limit: 10_000) }
                #expect(error?.code == .internalError)
                await #expect(throws: ServiceError.self) {
                    try await store.forEachPiece(of: digest, ofAtMost: 999) { _ in }
                }
            }
            // One that is too short is seen by its size, and replaced when the content comes again.
            try await Self.overwrite(digest, with: Array(content.dropLast()), in: store)
            await #expect(throws: ServiceError.self) { try await store.read(digest, limit: 10_000) }
            try await store.put(content)
            #expect(try await store.read(digest, limit: 10_000) == content)
        }
    }

    @Test("Ends an upload that the server did not live to see, and takes it when the server is back")
    func serverDies() async throws {
        try await S3Server.withOwn { server in
            let bucket = try await server.makeBucket()
            try await withTemporaryDirectory { folder in
                let room = S3Room(server: server, bucket: bucket, folder: folder)
                let store = try await room.store()
                let kept = try await store.put(S3Room.content(ofSize: 50_000))
                let content = S3Room.content(ofSize: 30_000_000)
                let upload = Task { try await store.put(content) }
                // In the middle of it, wherever that is.
                try await Task.sleep(for: .milliseconds(150))
                server.kill()
                try await server.start()
                // It may have been patient enough; if not it said so, and the next one succeeds.
                do { _ = try await upload.value } catch let error as ServiceError {
                    #expect(error.code == .unavailable)
                }
                let digest = try await Self.untilItWorks { try await store.put(content) }
                #expect(try await store.read(digest, limit: 30_000_000) == content)
                #expect(try await store.missing(among: [kept, digest]) == [])
                #expect(try room.spooled() == [])
            }
        }
    }

    @Test("Trusts a server over TLS whose authority was named, and no other")
    func tls() async throws {
        try await S3Room.with { room in
            let trusting = try await room.store(
                endpoint: "\(room.server.secureEndpoint)&ca=\(room.server.authorityFile)")
            let digest = try await trusting.put([1, 2])
            #expect(try await trusting.read(digest, limit: 2) == [1, 2])
            #expect(try await room.store().read(digest, limit: 2) == [1, 2])
            let wary = try await room.store(endpoint: room.server.secureEndpoint)
            let error = await #expect(throws: ServiceError.self) { try await wary.probe() }
            #expect(error?.rule == "s3-tls")
        }
    }

    @Test("A request to delete that comes too late is refused by the server itself")
    func lateRemoval() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let digest = try await store.put([1])
            // As of a process that slept between its last look at the clock and the sending.
            let late = RemovalOrder(issuedAt: MovedClock().now() + .seconds(-1200))
            let removal = try await store.remove([digest], olderThan: .seconds(-60), order: late)
            #expect(removal.uncertain == [digest] && removal.removed == .zero)
            #expect((removal.error as? ServiceError)?.rule == "s3-clock-skew")
            #expect(try await store.read(digest, limit: 1) == [1])
        }
    }

    @Test("Counts and ends uploads that were begun and never ended")
    func unfinishedUploads() async throws {
        try await S3Room.with { room in
            let store = try await room.store()
            let key = store.key(of: ContentDigest(hashing: "never ended"))
            var begin = S3Request(.beginUpload, .POST, key: key)
            begin.query = [("uploads", "")]
            let answer = try await store.client.send(begin)
            let id = try #require(S3Document(answer.body.readableBytesView)?["UploadId"])
            var part = S3Request(.uploadPart, .PUT, key: key)
            part.query = [("partNumber", "1"), ("uploadId", id)]
            part.body = ByteBuffer(bytes: S3Room.content(ofSize: 5_500_000))
            part.bodyHash = ContentDigest(hashing: part.body!.readableBytesView).text
            _ = try await store.client.send(part)
            #expect(try await store.removeUnfinished(olderThan: .seconds(3600), isDryRun: false) == .zero)
            let found = BlobCount(blobs: 1, bytes: 5_500_000)
            #expect(try await store.removeUnfinished(olderThan: .seconds(-60), isDryRun: true) == found)
            #expect(try await store.removeUnfinished(olderThan: .seconds(-60), isDryRun: false) == found)
            #expect(try await store.removeUnfinished(olderThan: .seconds(-60), isDryRun: false) == .zero)
        }
    }

    @Test("Is examined with one question, which names what is wrong")
    func probe() async throws {
        try await S3Room.with { room in
            try await room.store().probe()
            let skew = try #require(try await room.store(clockOffset: .seconds(-300)).clockSkew())
            #expect(skew < .seconds(-240) && skew > .seconds(-360))
            for (store, rule) in [
                (try await room.store(secretKey: "no"), "s3-wrong-secret"),
                (try await room.store(accessKey: "NOBODY"), "s3-wrong-key"),
                (try await room.store(bucket: "no-such-bucket"), "s3-bucket-missing"),
                (try await room.store(clockOffset: .seconds(3600)), "s3-clock-skew"),
                (try await room.store(port: try freePorts(1)[0]), "s3-unreachable"),
            ] {
                let error = await #expect(throws: ServiceError.self) { try await store.probe() }
                #expect(error?.rule == rule)
            }
        }
    }

    @Test("Sends through little memory, and reads through little memory")
    func memory() async throws {
        await #expect(processExitsWith: .success) {
            try await S3Server.withOwn { server in
                let bucket = try await server.makeBucket()
                try await withTemporaryDirectory { folder in
                    let store = try await S3Room(server: server, bucket: bucket, folder: folder).store()
                    try await store.put([1])
                    let before = S3BlobStoreTests.peakMemoryInBytes()
                    let batch = try await store.makeBatch()
                    let writer = try await batch.makeWriter()
                    for number in 0..<512 {
                        try await writer.write(ByteBuffer(repeating: UInt8(number % 251), count: 256 << 10))
                    }
                    let stored = try await writer.finish(expecting: nil)
                    try await batch.commit()
                    try await store.forEachPiece(of: stored.digest, ofAtMost: 256 << 10) { _ in }
                    #expect(stored.sizeInBytes == 128 << 20)
                    #expect(S3BlobStoreTests.peakMemoryInBytes() - before < 64 << 20)
                }
            }
        }
    }

    /// The most memory that this process ever had.
    private static func peakMemoryInBytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }

    private static func overwrite(_ digest: ContentDigest, with bytes: [UInt8], in store: S3BlobStore) async throws {
        var request = S3Request(.put, .PUT, key: store.key(of: digest))
        request.body = ByteBuffer(bytes: bytes)
        request.bodyHash = ContentDigest(hashing: bytes).text
        _ = try await store.client.send(request)
    }

    private static func untilItWorks<Value>(_ body: () async throws -> Value) async throws -> Value {
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            do {
                return try await body()
            } catch  where ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private static func get(_ address: String, method: String = "GET") async throws -> (body: Data, status: Int) {
        var request = URLRequest(url: URL(string: address)!, timeoutInterval: 30)
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        return (data, (response as? HTTPURLResponse)?.statusCode ?? 0)
    }
}
