import Database
import Domain
import Persistence

/// A request with an idempotency key that nobody has used, as far as was seen.
package struct KeyedRequest: Sendable {
    private let record: IdempotencyRecord
    private let now: Timestamp
    private let store = IdempotencyStore()

    init(record: IdempotencyRecord, at now: Timestamp) {
        self.record = record
        self.now = now
    }

    /// Takes the key within the transaction that is about to have the effect. Of several with one key the later ones
    /// wait here for the first, and throw ``RepeatedRequest`` once it is committed.
    func claim(in transaction: any SQLTransaction) async throws {
        if try await store.insert(record, at: now, in: transaction) { return }
        guard let answer = try await earlierAnswer(in: transaction) else {
            throw ServiceError(
                .unavailable, "the first request with this idempotency key has just expired",
                nextStep: "Send the same request again.", retryAfter: .seconds(1))
        }
        throw RepeatedRequest(answer: answer)
    }

    /// Writes the answer beside the effect.
    func keep(_ answer: KeptAnswer, in transaction: any SQLTransaction) async throws {
        try await store.save(
            IdempotencyRecord.Answer(status: answer.status, contentType: answer.contentType, body: answer.body),
            for: record, in: transaction)
    }

    func earlierAnswer(in transaction: any SQLTransaction) async throws -> KeptAnswer? {
        let known = try await store.find(
            record.key, of: record.operation, by: record.user, at: now, in: transaction)
        guard let known, let answer = known.answer else { return nil }
        guard known.fingerprint == record.fingerprint else {
            throw ServiceError(
                .conflict, "this idempotency key was used with another body", field: "Idempotency-Key",
                rule: "idempotency-key-reused", nextStep: "Use a new key for a new request.")
        }
        return KeptAnswer(status: answer.status, contentType: answer.contentType, body: answer.body)
    }
}
