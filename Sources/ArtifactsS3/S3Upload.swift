import Artifacts
import BlockingIO
import Crypto
import Domain
import NIOCore
import NIOHTTP1

/// One blob on its way to the server.
///
/// Up to ``largestBody`` it is one request whose signature covers the hash of the body, which is the blob's name; so the
/// server refuses what changed on the way. A larger blob goes in parts, at most two of them in memory.
struct S3Upload {
    static let largestBody = 8 << 20
    private static let parallelParts = 2
    /// A blob that the server has is not sent again, unless it is so old that a garbage collection may be about to take it.
    /// A new body makes it young.
    static let youth = Duration.seconds(6 * 3600)
    /// From this size on, asking first is cheaper than a body for nothing.
    private static let worthAsking = 64 << 10

    let digest: ContentDigest
    let spooled: SpooledBlobs
    let store: S3BlobStore

    private var key: String { store.key(of: digest) }

    func run() async throws {
        let size = try await spooled.sizeInBytes(of: digest)
        if size >= Self.worthAsking, try await isThere(size) { return }
        if size <= Self.largestBody {
            try await putWhole(size)
        } else {
            try await putParts(size)
        }
    }

    /// Whether the server has it, whole and young.
    private func isThere(_ size: Int64) async throws -> Bool {
        guard let head = try await store.head(digest, backoff: .patient) else { return false }
        return head.sizeInBytes == size && head.age < Self.youth
    }

    private func putWhole(_ size: Int64) async throws {
        let isLarge = size > 1 << 20
        if isLarge { try await store.largeBodies.acquire() }
        defer { if isLarge { store.largeBodies.release() } }
        var request = S3Request(.put, .PUT, key: key)
        request.body = try await spooled.bytes(of: digest, from: 0, count: Int(size))
        request.bodyHash = digest.text
        request.headers = [("x-amz-checksum-sha256", S3Encoding.base64(digest.bytes))]
        do {
            var first = request
            first.headers.append(("if-none-match", "*"))
            _ = try await store.client.send(first, backoff: .patient, expecting: [412, 501])
        } catch let failure as S3Failure {
            // 412: it is there, perhaps as our own request whose answer was lost. 501: the server knows no conditions.
            if failure.status == 412, try await isThere(size) { return }
            _ = try await store.client.send(request, backoff: .patient)
        }
    }

    // MARK: In parts

    private struct Part: Sendable {
        let number: Int
        let tag: String
    }

    private func putParts(_ size: Int64) async throws {
        let begun = try await store.client.send(
            S3Request.beginUpload(of: key), backoff: .patient)
        guard let id = S3Document(begun.body.readableBytesView)?["UploadId"], !id.isEmpty else {
            throw ServiceError(.unavailable, "the store began an upload without a name", rule: "s3-refused")
        }
        do {
            let parts = try await sendParts(size, upload: id)
            try await complete(parts, upload: id)
            guard let head = try await store.head(digest), head.sizeInBytes == size else {
                throw ServiceError(
                    .unavailable, "the store made another object of the parts of \(digest.abbreviated)",
                    rule: "s3-refused")
            }
        } catch {
            // In a cancelled task too. What this does not reach is found by the garbage collection.
            let (client, key) = (store.client, key)
            await Task { _ = try? await client.send(S3Request.abortUpload(id, of: key), backoff: .none) }.value
            throw error
        }
    }

    private func sendParts(_ size: Int64, upload id: String) async throws -> [Part] {
        var hasher = ContentHasher()
        return try await withThrowingTaskGroup(of: Part.self) { group in
            var parts: [Part] = []
            var offset: Int64 = 0
            var running = 0
            while offset < size {
                if running == Self.parallelParts, let part = try await group.next() {
                    parts.append(part)
                    running -= 1
                }
                try await store.largeBodies.acquire()
                let body: ByteBuffer
                do {
                    body = try await spooled.bytes(of: digest, from: offset, count: Self.largestBody)
                    guard body.readableBytes > 0 else { throw spooled.damaged(digest) }
                } catch {
                    store.largeBodies.release()
                    throw error
                }
                hasher.update(body)
                let number = Int(offset / Int64(Self.largestBody)) + 1
                offset += Int64(body.readableBytes)
                running += 1
                group.addTask {
                    defer { store.largeBodies.release() }
                    return try await send(body, number: number, upload: id)
                }
            }
            for try await part in group { parts.append(part) }
            // The parts' own hashes say nothing about the whole.
            guard hasher.finish() == digest else { throw spooled.damaged(digest) }
            return parts.sorted { $0.number < $1.number }
        }
    }

    private func send(_ body: ByteBuffer, number: Int, upload id: String) async throws -> Part {
        var request = S3Request(.uploadPart, .PUT, key: key)
        request.query = [("partNumber", "\(number)"), ("uploadId", id)]
        request.body = body
        request.bodyHash = ContentDigest(hashing: body.readableBytesView).text
        // The checksum that every server checks, also one that takes the hash in the signature on trust.
        let sum = body.withUnsafeReadableBytes { bytes in
            var hash = Insecure.MD5()
            hash.update(bufferPointer: bytes)
            return Array(hash.finalize())
        }
        request.headers = [("content-md5", S3Encoding.base64(sum))]
        let answer = try await store.client.send(request, backoff: .patient)
        guard let tag = answer.headers.first(name: "etag") else {
            throw ServiceError(.unavailable, "the store took a part and gave no name for it", rule: "s3-refused")
        }
        return Part(number: number, tag: tag)
    }

    private func complete(_ parts: [Part], upload id: String) async throws {
        var request = S3Request(.completeUpload, .POST, key: key)
        request.query = [("uploadId", id)]
        let text =
            "<CompleteMultipartUpload>"
            + parts.map {
                "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(S3Document.escaped($0.tag))</ETag></Part>"
            }.joined() + "</CompleteMultipartUpload>"
        request.body = ByteBuffer(string: text)
        request.bodyHash = ContentDigest(hashing: text).text
        request.headers = [("content-type", "application/xml")]
        do {
            let answer = try await store.client.send(request, backoff: .patient, expecting: [404])
            // Amazon may begin with 200 and think better of it.
            guard let document = S3Document(answer.body.readableBytesView), document.name != "Error" else {
                throw S3Failure(
                    .completeUpload, status: 500, headers: answer.headers, body: answer.body.readableBytesView)
            }
        } catch let failure as S3Failure where failure.status == 404 {
            // Our own request whose answer was lost ended the upload; the caller looks whether the object is there.
            return
        } catch let failure as S3Failure {
            throw await store.client.explained(failure)
        }
    }
}

extension S3Request {
    fileprivate static func beginUpload(of key: String) -> S3Request {
        var request = S3Request(.beginUpload, .POST, key: key)
        request.query = [("uploads", "")]
        return request
    }

    static func abortUpload(_ id: String, of key: String) -> S3Request {
        var request = S3Request(.abortUpload, .DELETE, key: key)
        request.query = [("uploadId", id)]
        return request
    }
}
