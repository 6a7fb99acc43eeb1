/// The time during which one coordinator is the steward: the one that does what only one may do.
///
/// The number only grows. It, and no clock, is what keeps a steward that was deposed without noticing from doing harm.
package struct Term: Sendable, Equatable {
    package let number: Int64
    /// A name that the coordinator gave itself when it started.
    package let holder: String

    package init(number: Int64, holder: String) {
        self.number = number
        self.holder = holder
    }
}

/// What the database says of the steward.
package struct StewardRecord: Sendable, Equatable {
    /// Number 0 and no holder before the first.
    package let term: Term
    /// Grows with every renewal within a term.
    package let renewal: Int64

    package init(term: Term, renewal: Int64) {
        self.term = term
        self.renewal = renewal
    }
}
