import Artifacts
import BlockingIO
import Domain
import Foundation
import Logging
import TestSupport

@testable import ArtifactsS3

/// A store in a bucket of its own on the shared server, and what a test may want to be different.
struct S3Room {
    let server: S3Server
    let bucket: String
    let folder: String

    static func with<Value>(_ body: (S3Room) async throws -> Value) async throws -> Value {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        return try await withTemporaryDirectory { folder in
            try await body(S3Room(server: server, bucket: bucket, folder: folder))
        }
    }

    func store(
        bucket: String? = nil, port: Int? = nil, endpoint: String? = nil, accessKey: String = S3Server.accessKey,
        secretKey: String = S3Server.secretKey, clockOffset: Duration = .zero
    ) async throws -> S3BlobStore {
        let pool = BlockingPool(label: "test", width: 4)
        let location = try S3Location(
            "s3://\(bucket ?? self.bucket)/pw?endpoint=\(endpoint ?? "http://127.0.0.1:\(port ?? server.port)")")
        return try await S3BlobStore(
            location: location,
            credentials: S3CredentialSource(try S3Credentials(accessKey: accessKey, secretKey: secretKey), pool: pool),
            spool: "\(folder)/spool", pool: pool, clock: MovedClock(offset: clockOffset), logger: Logger(label: "test"))
    }

    static func content(ofSize size: Int) -> [UInt8] {
        var state = UInt64(truncatingIfNeeded: size) | 1
        return (0..<size).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    /// What is waiting on this machine.
    func spooled() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/spool/incoming")
    }
}

/// The machine's clock, wrong by a fixed time.
struct MovedClock: WallClock {
    var offset = Duration.zero

    func now() -> Timestamp {
        Timestamp(millisecondsSinceEpoch: Int64(Date.now.timeIntervalSince1970 * 1000)) + offset
    }
}
