import Domain

/// The office of the steward: `Stewardship` of the real coordinator, with the rule of `Candidacy`.
extension World {
    /// The term in which a coordinator believes that it is the steward; one that is renewed by asking, and for half of its
    /// life without. Does the round of a steward.
    func holdOffice(_ coordinator: Int) -> Term? {
        let instant = wall(coordinator)
        if let office = coordinators[coordinator].office, isFresh(office.renewedAt, at: instant) {
            doRound(under: office.term, on: coordinator)
            return coordinators[coordinator].office?.term
        }
        let life = coordinators[coordinator].life
        var candidacy =
            coordinators[coordinator].candidacy
            ?? Candidacy(name: "c\(coordinator)-\(life)", lifetime: .milliseconds(Timing.office))
        let seen = tables.steward
        let move = candidacy.move(seeing: seen, at: instant)
        coordinators[coordinator].candidacy = candidacy
        coordinators[coordinator].office = nil
        guard move != .wait else { return nil }
        let name = candidacy.name
        let term = transact(on: coordinator, "\(move) office") { rows -> Term? in
            guard rows.steward == seen else { return nil }
            let number = move == .renew ? seen.term.number : seen.term.number + 1
            let term = Term(number: number, holder: name)
            rows.steward = StewardRecord(term: term, renewal: move == .renew ? seen.renewal + 1 : 0)
            return term
        }
        guard let term, isAlive(coordinator, life) else { return nil }
        coordinators[coordinator].office = (term, instant)
        doRound(under: term, on: coordinator)
        return isAlive(coordinator, life) ? coordinators[coordinator].office?.term : nil
    }

    private func isFresh(_ renewedAt: Timestamp, at now: Timestamp) -> Bool {
        now >= renewedAt && now - renewedAt < .milliseconds(Timing.office / 2)
    }

    /// Whether a transaction of the steward may go on; for others there is nothing to compare.
    func confirms(_ term: Term?, in rows: Tables) -> Bool {
        guard let term, mutation != .noTermCheck else { return true }
        return rows.steward.term == term
    }

    /// A transaction of the steward was committed: nobody else may have been the steward then.
    func acted(under term: Term?) {
        guard let term, tables.steward.term != term else { return }
        ledger.fail(
            .oneLeader,
            "\(term.holder) acted in term \(term.number), while \(tables.steward.term.holder) is the steward")
    }

    /// What a steward does besides, as sealing the audit log: something in every round.
    private func doRound(under term: Term, on coordinator: Int) {
        let done = transact(on: coordinator, "round of the steward") { rows -> Bool? in
            guard confirms(term, in: rows) else { return nil }
            rows.rounds += 1
            return true
        } committed: { _ in
            acted(under: term)
        }
        // Deposed, or nobody knows: it asks before the next round.
        if done == nil { coordinators[coordinator].office = nil }
    }
}
