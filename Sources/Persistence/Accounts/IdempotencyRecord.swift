package import Domain

/// What is known of one idempotency key of one user and operation.
package struct IdempotencyRecord: Sendable, Equatable {
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

    package let user: UserID
    /// Such as `POST /api/v1/sites`.
    package let operation: String
    package let key: String
    /// The SHA-256 of the request's body.
    package let fingerprint: ContentDigest
    /// `nil` only within the transaction that has the effect; every other transaction sees a row with its answer.
    package let answer: Answer?
    package let expiresAt: Timestamp

    package init(
        user: UserID, operation: String, key: String, fingerprint: ContentDigest, answer: Answer? = nil,
        expiresAt: Timestamp
    ) {
        self.user = user
        self.operation = operation
        self.key = key
        self.fingerprint = fingerprint
        self.answer = answer
        self.expiresAt = expiresAt
    }
}
