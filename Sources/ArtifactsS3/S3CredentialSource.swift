package import BlockingIO
import Domain
import Synchronization

/// Where the keys come from. Those of a file are read again when the file may have changed, because keys with a
/// session token live for hours only.
package final class S3CredentialSource: Sendable {
    private static let lifetime = Duration.seconds(60)

    private struct Known {
        var credentials: S3Credentials
        var readAt: ContinuousClock.Instant
    }

    private let path: String?
    private let pool: BlockingPool
    private let known: Mutex<Known>

    /// The same keys for ever.
    package init(_ credentials: S3Credentials, pool: BlockingPool) {
        path = nil
        self.pool = pool
        known = Mutex(Known(credentials: credentials, readAt: .now))
    }

    /// The keys in a file; see ``S3Credentials/read(fromFile:on:)``.
    package init(file path: String, pool: BlockingPool) async throws {
        self.path = path
        self.pool = pool
        known = Mutex(Known(credentials: try await S3Credentials.read(fromFile: path, on: pool), readAt: .now))
    }

    /// A file that became unreadable leaves the last keys in force; the server will say when they are over.
    func current() async -> S3Credentials {
        let (credentials, isFresh) = known.withLock { known in
            let isFresh = path == nil || .now - known.readAt < Self.lifetime
            if !isFresh { known.readAt = .now }
            return (known.credentials, isFresh)
        }
        guard !isFresh, let path, let read = try? await S3Credentials.read(fromFile: path, on: pool) else {
            return credentials
        }
        known.withLock { $0.credentials = read }
        return read
    }
}
