import Crypto
package import Database
package import Domain
import Persistence

/// Lets a caller repeat a request without repeating its effect: the first answer is kept for a day and given again.
///
/// Only answers of success are kept. After a refusal nothing was done, so the same key may try again.
package struct IdempotencyService: Sendable {
    package static let lifetime = Duration.seconds(24 * 3600)
    /// A request that has not ended after this long died with its coordinator; the next one takes over.
    package static let patience = Duration.seconds(15 * 60)

    package enum Beginning: Sendable {
        /// Do the work, then say how it ended with ``finish(_:with:)`` or ``abandon(_:)``.
        case proceed(Claim)
        /// The work was done before; this was the answer.
        case replay(Answer)
    }

    /// The right to answer for one key.
    package struct Claim: Sendable {
        fileprivate let record: IdempotencyRecord
    }

    /// An answer that was given, to be given again.
    package struct Answer: Sendable, Equatable {
        package let status: Int
        package let contentType: String?
        package let body: [UInt8]

        package init(status: Int, contentType: String?, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    private let database: any SQLDatabase
    private let clock: any WallClock
    private let store = IdempotencyStore()

    package init(database: any SQLDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Claims `key` for one request. Throws `conflict` when the key was used with another body, or while the first
    /// request with it is still being worked on.
    package func begin(
        _ key: String, of operation: String, body digest: ContentDigest, for principal: Principal
    ) async throws -> Beginning {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ServiceError(
                .invalidArgument, "an idempotency key has 1 to 255 visible ASCII characters", field: "Idempotency-Key",
                rule: "idempotency-key-format")
        }
        let now = clock.now()
        var generator = SystemRandomNumberGenerator()
        let attempt = Hexadecimal.text(of: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let claim = IdempotencyRecord(
            user: principal.user, operation: operation, key: key, fingerprint: digest, attempt: attempt,
            expiresAt: now + Self.patience)
        do {
            return try await database.withTransaction { transaction in
                try await store.deleteExpired(at: now, in: transaction)
                guard let known = try await store.find(key, of: operation, by: principal.user, in: transaction) else {
                    try await store.insert(claim, in: transaction)
                    return .proceed(Claim(record: claim))
                }
                return try Self.answer(to: claim, from: known)
            }
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw Self.inProgress
        }
    }

    /// A digest of a body that is in memory.
    package static func digest(of body: some Sequence<UInt8>) -> ContentDigest {
        ContentDigest(bytes: Array(SHA256.hash(data: Array(body))))!
    }

    /// Keeps the answer for a day.
    package func finish(_ claim: Claim, with answer: Answer) async throws {
        let expiresAt = clock.now() + Self.lifetime
        let kept = IdempotencyRecord.Answer(
            status: answer.status, contentType: answer.contentType, body: answer.body)
        try await database.withTransaction { try await store.save(kept, for: claim.record, until: expiresAt, in: $0) }
    }

    /// Frees the key: nothing was done.
    package func abandon(_ claim: Claim) async throws {
        try await database.withTransaction { try await store.delete(claim.record, in: $0) }
    }

    private static func answer(to claim: IdempotencyRecord, from known: IdempotencyRecord) throws -> Beginning {
        guard known.fingerprint == claim.fingerprint else {
            throw ServiceError(
                .conflict, "this idempotency key was used with another body", field: "Idempotency-Key",
                rule: "idempotency-key-reused", nextStep: "Use a new key for a new request.")
        }
        guard let answer = known.answer else { throw inProgress }
        return .replay(Answer(status: answer.status, contentType: answer.contentType, body: answer.body))
    }

    private static var inProgress: ServiceError {
        ServiceError(
            .conflict, "the first request with this idempotency key is still being worked on",
            field: "Idempotency-Key", rule: "idempotency-key-in-progress",
            nextStep: "Send the same request again in a moment.", retryAfter: .seconds(1))
    }
}
