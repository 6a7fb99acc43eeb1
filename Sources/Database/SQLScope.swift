/// What a writing transaction may touch.
///
/// Transactions of ``everything`` run one after the other, and beside no other writer. Those of different sets of
/// ``only(_:)`` run side by side; those that share a key wait for each other.
package enum SQLScope: Sendable, Equatable {
    /// Any row.
    case everything
    /// Rows that belong to these keys, such as a site with its versions, jobs and placements. What is read to decide
    /// on must belong to them, or be written by transactions of ``everything`` only. Other rows are touched only by single statements that decide for themselves: an
    /// `INSERT`, or an `UPDATE … RETURNING` such as the one that takes the next number of a counter and from which on
    /// the row is this transaction's until it ends.
    case only(Set<String>)
}
