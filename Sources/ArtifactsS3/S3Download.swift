import Artifacts
import AsyncHTTPClient
import Domain
import NIOCore
import NIOHTTP1

/// One object on its way from the server, hashed on the way. A connection that breaks is made again where it broke.
struct S3Download {
    /// What the receiver of the pieces threw; never a reason to try again.
    private struct Received: Error {
        let cause: any Error
    }

    let digest: ContentDigest
    let key: String
    let client: S3Client
    let limit: Int64

    /// Hands out everything in pieces of at most `pieceSize`, and throws at the end when the whole is not what its name says.
    func run(ofAtMost pieceSize: Int, _ body: (ByteBuffer) async throws -> Void) async throws {
        var hasher = ContentHasher()
        var total: Int64?
        var failures = 0
        while total.map({ hasher.sizeInBytes < $0 }) ?? true {
            let before = hasher.sizeInBytes
            do {
                var request = S3Request(.get, .GET, key: key)
                if before > 0 { request.headers.append(("range", "bytes=\(before)-")) }
                try await client.attempt(request, bytesExpected: (total ?? (256 << 20)) - before) { response in
                    let size = try self.size(response, from: before)
                    guard size <= limit else {
                        throw ServiceError(
                            .payloadTooLarge, "the content \(digest) has \(size) bytes; \(limit) are allowed here")
                    }
                    guard total == nil || total == size else {
                        throw Received(cause: damaged)
                    }
                    total = size
                    var gathered = ByteBuffer()
                    for try await chunk in response.body {
                        gathered.writeImmutableBuffer(chunk)
                        while gathered.readableBytes >= pieceSize {
                            try await hand(gathered.readSlice(length: pieceSize)!, &hasher, body)
                        }
                        gathered.discardReadBytes()
                    }
                    if gathered.readableBytes > 0 { try await hand(gathered, &hasher, body) }
                }
                guard let total, hasher.sizeInBytes < total else { break }
                throw HTTPClientError.remoteConnectionClosed
            } catch let error as Received {
                throw error.cause
            } catch let failure as S3Failure where failure.status == 404 && failure.code != "NoSuchBucket" {
                throw ServiceError(.notFound, "the content \(digest) is not in the store")
            } catch {
                // What moved on is no failure in a row.
                failures = hasher.sizeInBytes > before ? 1 : failures + 1
                try await client.pause(after: failures, because: error, .get, backoff: .brisk)
            }
        }
        guard hasher.finish() == digest else { throw damaged }
    }

    private func hand(
        _ piece: ByteBuffer, _ hasher: inout ContentHasher, _ body: (ByteBuffer) async throws -> Void
    ) async throws {
        try Task.checkCancellation()
        hasher.update(piece)
        do {
            try await body(piece)
        } catch {
            throw Received(cause: error)
        }
    }

    /// The size of the whole object, from the head of an answer that begins at `offset`.
    private func size(_ response: HTTPClientResponse, from offset: Int64) throws -> Int64 {
        guard offset > 0 else {
            guard let size = response.headers.first(name: "content-length").flatMap({ Int64($0) }), size >= 0 else {
                throw HTTPClientError.contentLengthMissing
            }
            return size
        }
        // bytes 100-199/200
        guard response.status == .partialContent, let range = response.headers.first(name: "content-range"),
            range.hasPrefix("bytes \(offset)-"), let size = range.split(separator: "/").last.flatMap({ Int64($0) })
        else { throw Received(cause: damaged) }
        return size
    }

    private var damaged: ServiceError {
        ServiceError(
            .internalError, "the stored content \(digest) is damaged",
            nextStep: "Run `pagewright-coordinator blobs verify`, and bring the content back from a backup.")
    }
}
