/// Thrown out of a transaction whose effect another one with the same idempotency key had already. Not a failure: the
/// gateway gives the answer of the first.
package struct RepeatedRequest: Error, Sendable {
    package let answer: KeptAnswer
}
