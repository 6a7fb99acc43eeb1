/// Which turn the next job of a user gets, so that a user with a thousand jobs does not hold up another's first.
///
/// Start-time fair queueing: a ready job's turn is the turn that is served now, or one after the user's last turn if
/// that is later. Lower turns go first. A user who waits keeps a turn that everybody else's turns pass, so nobody
/// starves; a user who was away gets no credit for it.
package struct FairShare: Sendable, Equatable {
    /// The highest turn that a worker has now.
    package var served: Int?
    /// The lowest turn that waits for a worker.
    package var waiting: Int?
    /// The highest turn ever given; asked for when nobody is served and nobody waits.
    package var last: Int?
    /// The highest turn ever given to this user.
    package var own: Int?

    package init(served: Int?, waiting: Int?, last: Int?, own: Int?) {
        self.served = served
        self.waiting = waiting
        self.last = last
        self.own = own
    }

    package var nextTurn: Int { max(served ?? waiting ?? last ?? 0, own.map { $0 + 1 } ?? 0) }

    /// In the queue and in the database a higher priority goes first.
    package var nextPriority: Int { -nextTurn }
}
