/// What a queue has for somebody who asks.
package enum QueueAnswer: Sendable, Equatable {
    /// The caller has it now, and nobody else.
    case entry(QueueEntry)
    /// Nothing now; the first delayed entry is due after this long, if there is one.
    case empty(nextAfter: Duration?)
}
