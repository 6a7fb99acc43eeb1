package import Artifacts
package import Domain
import NIOCore
import NIOHTTP1

extension S3BlobStore: BlobInventory {
    package var address: String { location.description }

    package func probe() async throws {
        do {
            _ = try await client.send(
                S3Request(.headBucket, .HEAD, key: nil), backoff: .none, expecting: [301, 400, 403])
        } catch let failure as S3Failure {
            // As the answer to HEAD cannot say why, the first page of a listing is asked for.
            _ = try await client.send(list(after: nil, limit: 1), backoff: .none)
            throw await client.explained(failure)
        }
    }

    /// How far this machine's clock is ahead of the server's, to about a second; `nil` when the server does not say.
    package func clockSkew() async throws -> Duration? {
        let answer = try await client.send(list(after: nil, limit: 1))
        return answer.serverTime.map { client.clock.now() - $0 }
    }

    package func forEachPage(_ body: ([ListedBlob]) async throws -> Void) async throws {
        var token: String?
        repeat {
            try Task.checkCancellation()
            let answer = try await client.send(list(after: token, limit: 1000), backoff: .patient)
            guard let document = S3Document(answer.body.readableBytesView), document.name == "ListBucketResult" else {
                throw unreadable
            }
            let now = answer.serverTime ?? client.clock.now()
            let page = document.all("Contents").compactMap { object -> ListedBlob? in
                guard let key = object["Key"], let digest = ContentDigest(String(key.suffix(64))),
                    key == self.key(of: digest), let size = object["Size"].flatMap({ Int64($0) }),
                    let modified = object["LastModified"].flatMap(S3Time.parsed(iso:))
                else { return nil }
                return ListedBlob(digest: digest, sizeInBytes: size, age: now - modified)
            }
            if !page.isEmpty { try await body(page) }
            let next = document["IsTruncated"] == "true" ? document["NextContinuationToken"] : nil
            guard next == nil || next != token else { throw unreadable }
            token = next
        } while token != nil
    }

    private func list(after token: String?, limit: Int) -> S3Request {
        var request = S3Request(.list, .GET, key: nil)
        request.query = [("list-type", "2"), ("max-keys", "\(limit)"), ("prefix", keyPrefix)]
        if let token { request.query.append(("continuation-token", token)) }
        return request
    }

    package func remove(
        _ digests: [ContentDigest], olderThan age: Duration, order: RemovalOrder
    ) async throws -> BlobRemoval {
        let outcomes = try await inParallel(digests) { digest in
            try await self.remove(digest, olderThan: age, order: order)
        }
        var removal = BlobRemoval()
        for outcome in outcomes {
            switch outcome {
            case .removed(let size): removal.removed.add(size)
            case .kept: break
            case .uncertain(let digest, let error):
                removal.uncertain.append(digest)
                removal.error = removal.error ?? error
            }
        }
        return removal
    }

    private enum RemovalOutcome: Sendable {
        case removed(Int64)
        case kept
        case uncertain(ContentDigest, any Error)
    }

    private func remove(
        _ digest: ContentDigest, olderThan age: Duration, order: RemovalOrder
    ) async throws -> RemovalOutcome {
        guard let head = try await head(digest), head.age >= age else { return .kept }
        try order.requireValid()
        do {
            // Signed with the time of the decision: the server itself refuses this when it comes too late. Sent once: of two
            // requests the first could be carried out last.
            _ = try await client.send(
                S3Request(.delete, .DELETE, key: key(of: digest)), backoff: .none, expecting: [404],
                signedAt: order.issuedAt)
            return .removed(head.sizeInBytes)
        } catch let failure as S3Failure where failure.status == 404 {
            return .kept
        } catch {
            return .uncertain(digest, error)
        }
    }

    package func removeUnfinished(olderThan age: Duration, isDryRun: Bool) async throws -> BlobCount {
        var found = BlobCount.zero
        var markers: (key: String, upload: String)?
        repeat {
            var request = S3Request(.listUploads, .GET, key: nil)
            request.query = [("uploads", ""), ("prefix", keyPrefix)]
            if let markers {
                request.query += [("key-marker", markers.key), ("upload-id-marker", markers.upload)]
            }
            let answer = try await client.send(request)
            guard let document = S3Document(answer.body.readableBytesView),
                document.name == "ListMultipartUploadsResult"
            else { throw unreadable }
            let now = answer.serverTime ?? client.clock.now()
            for upload in document.all("Upload") {
                guard let key = upload["Key"], key.hasPrefix(keyPrefix), let id = upload["UploadId"],
                    let begun = upload["Initiated"].flatMap(S3Time.parsed(iso:)), now - begun >= age
                else { continue }
                found.add(try await sizeOfParts(of: key, upload: id))
                guard !isDryRun else { continue }
                do {
                    _ = try await client.send(S3Request.abortUpload(id, of: key), expecting: [404])
                } catch is S3Failure {}  // It came to its end meanwhile.
            }
            guard document["IsTruncated"] == "true", let key = document["NextKeyMarker"],
                let upload = document["NextUploadIdMarker"], markers?.key != key || markers?.upload != upload
            else { return found }
            markers = (key, upload)
        } while true
    }

    private func sizeOfParts(of key: String, upload id: String) async throws -> Int64 {
        var request = S3Request(.listUploads, .GET, key: key)
        request.query = [("uploadId", id)]
        do {
            let answer = try await client.send(request, expecting: [404])
            // A server may list what was sent twice twice.
            var parts: [String: Int64] = [:]
            for part in S3Document(answer.body.readableBytesView)?.all("Part") ?? [] {
                parts[part["PartNumber"] ?? ""] = part["Size"].flatMap { Int64($0) } ?? 0
            }
            return parts.values.reduce(0, +)
        } catch is S3Failure {
            return 0
        }
    }

    private var unreadable: ServiceError {
        ServiceError(
            .unavailable, "the store at \(location.authority) gave a list that cannot be read", field: "blobs",
            rule: "s3-refused", nextStep: "Check that the endpoint in --blobs is an S3 server.")
    }
}
