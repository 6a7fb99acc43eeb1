/// How one coordinator decides whether to renew its term, to take the next one, or to wait.
///
/// Clocks of two machines are never compared: a candidate waits until it has seen the same renewal for a whole lifetime
/// on its own clock. A clock that jumps makes a term end too early or too late, which costs work or time, never safety.
package struct Candidacy: Sendable {
    package enum Move: Sendable, Equatable {
        case renew
        /// The office is free, or its holder has not renewed for a lifetime.
        case take
        case wait
    }

    package let name: String
    package let lifetime: Duration
    private var seen: (record: StewardRecord, since: Timestamp)?

    package init(name: String, lifetime: Duration) {
        self.name = name
        self.lifetime = lifetime
    }

    package mutating func move(seeing record: StewardRecord, at now: Timestamp) -> Move {
        if record.term.holder == name { return .renew }
        if record.term.holder.isEmpty { return .take }
        // A clock that went back begins to count again.
        guard let seen, seen.record == record, now >= seen.since else {
            self.seen = (record, now)
            return .wait
        }
        return now - seen.since >= lifetime ? .take : .wait
    }
}
