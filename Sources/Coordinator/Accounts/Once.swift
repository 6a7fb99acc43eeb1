package import Database

/// Makes a use case have its effect once for each idempotency key: the transaction that has the effect also takes the
/// key and writes the answer down.
///
/// A use case takes one and runs its transaction by ``Database/SQLDatabase/withTransaction(_:_:)``; `Value` is what it
/// returns, and what the gateway makes the answer of.
package struct Once<Value: Sendable>: Sendable {
    private let request: KeyedRequest?
    private let answer: @Sendable (Value) throws -> KeptAnswer

    /// `answer` is what the gateway will say of a value. Without a request (it had no key) nothing is kept.
    package init(_ request: KeyedRequest?, answer: @escaping @Sendable (Value) throws -> KeptAnswer) {
        self.request = request
        self.answer = answer
    }

    /// For callers without a key.
    package static var unkeyed: Self {
        Self(nil) { _ in KeptAnswer(status: 200, contentType: nil, body: []) }
    }

    /// The same for a use case that is part of this one, whose value has this one's in it.
    func from<Other: Sendable>(_ transform: @escaping @Sendable (Other) -> Value) -> Once<Other> {
        Once<Other>(request) { [answer] in try answer(transform($0)) }
    }

    fileprivate func run(
        in transaction: any SQLTransaction, _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        guard let request else { return try await body(transaction) }
        try await request.claim(in: transaction)
        let value = try await body(transaction)
        try await request.keep(try answer(value), in: transaction)
        return value
    }
}

extension SQLDatabase {
    /// A transaction whose effect is had once for the key of the request, whoever dies when; throws
    /// ``RepeatedRequest`` when it was had before.
    ///
    /// A key belongs to one operation, so two transactions with one key have one scope; the key's row decides for itself.
    package func withTransaction<Value: Sendable>(
        _ once: Once<Value>, on scope: SQLScope = .everything,
        _ body: @Sendable (any SQLTransaction) async throws -> Value
    ) async throws -> Value {
        try await withTransaction(on: scope) { try await once.run(in: $0, body) }
    }
}
