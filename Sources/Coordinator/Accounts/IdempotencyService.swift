import Crypto
package import Database
package import Domain
import Persistence
import Synchronization

/// Lets a caller repeat a request without repeating its effect: the first answer is kept for a day and given again.
///
/// Key and answer are written in the transaction that has the effect (``Once``). So whoever dies, whenever: either
/// both are there, and a repetition gets the answer, or neither is, and a repetition does the work. Only success is
/// kept: after a refusal nothing was done, and the same key may try again.
package struct IdempotencyService: Sendable {
    package static let lifetime = Duration.seconds(24 * 3600)
    /// How often old answers are thrown away.
    private static let sweepInterval = Duration.seconds(600)

    package enum Recollection: Sendable {
        /// Nobody used the key before: do the work with it.
        case new(KeyedRequest)
        /// The work was done before; this was the answer.
        case known(KeptAnswer)
    }

    private let database: any SQLDatabase
    private let clock: any WallClock
    private let store = IdempotencyStore()
    private let sweep: Sweep

    package init(database: any SQLDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
        sweep = Sweep(at: clock.now())
    }

    /// Looks whether a request was answered before. Throws `conflict` when `key` was used with another body.
    package func recall(
        _ key: String, of operation: String, body digest: ContentDigest, for principal: Principal
    ) async throws -> Recollection {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ServiceError(
                .invalidArgument, "an idempotency key has 1 to 255 visible ASCII characters", field: "Idempotency-Key",
                rule: "idempotency-key-format")
        }
        let now = clock.now()
        if sweep.isDue(at: now, every: Self.sweepInterval) {
            try await database.withTransaction { try await store.deleteExpired(at: now, in: $0) }
        }
        let request = KeyedRequest(
            record: IdempotencyRecord(
                user: principal.user, operation: operation, key: key, fingerprint: digest,
                expiresAt: now + Self.lifetime), at: now)
        return try await database.read { transaction in
            try await request.earlierAnswer(in: transaction).map { .known($0) } ?? .new(request)
        }
    }

    /// A digest of a body that is in memory.
    package static func digest(of body: some Sequence<UInt8>) -> ContentDigest {
        ContentDigest(bytes: Array(SHA256.hash(data: Array(body))))!
    }

    /// Remembers when old answers were last thrown away.
    private final class Sweep: Sendable {
        private let last: Mutex<Timestamp>

        init(at now: Timestamp) { last = Mutex(now) }

        func isDue(at now: Timestamp, every interval: Duration) -> Bool {
            last.withLock { last in
                guard now >= last + interval else { return false }
                last = now
                return true
            }
        }
    }
}
