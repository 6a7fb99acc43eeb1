import Artifacts
import ArtifactsS3
import BlockingIO
import Domain
import Foundation
import Logging
import TestSupport

/// The kinds of blob store that keep the same promises.
enum BlobStoreDriver: CaseIterable {
    case directory
    case s3

    /// Opens an empty store for one test.
    func withEmptyStore<Value>(_ body: (any BlobInventory) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { path in
            let pool = BlockingPool(label: "test", width: 4)
            switch self {
            case .directory:
                return try await body(DirectoryBlobStore(directory: "\(path)/blobs", pool: pool))
            case .s3:
                let server = try await S3Server.shared()
                let location = try S3Location(server.address(ofBucket: try await server.makeBucket()))
                let credentials = try S3Credentials(accessKey: S3Server.accessKey, secretKey: S3Server.secretKey)
                return try await body(
                    S3BlobStore(
                        location: location, credentials: S3CredentialSource(credentials, pool: pool),
                        spool: "\(path)/spool", pool: pool, clock: TestClock(), logger: Logger(label: "test")))
            }
        }
    }
}

/// The machine's clock.
struct TestClock: WallClock {
    func now() -> Timestamp { Timestamp(millisecondsSinceEpoch: Int64(Date.now.timeIntervalSince1970 * 1000)) }
}
