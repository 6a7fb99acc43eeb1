package import Database
package import Domain
package import Logging
import Metrics
package import Persistence
import Synchronization
import Telemetry

/// Makes one of all coordinators on a database the steward: the one that does what only one may do, such as taking
/// back leases or collecting garbage.
///
/// A service that only one coordinator shall run asks before each round, and compares the term in every transaction
/// that changes something:
///
///     while !Task.isCancelled {
///         guard let term = try await stewardship.hold() else { continue }   // another one is the steward
///         try await database.withTransaction { transaction in
///             try await stewardship.confirm(term, in: transaction)           // first of all; throws when deposed
///             …
///         }
///     }
///
/// ``hold()`` takes the office when it is free, renews it when that is due, and is cheap otherwise, so any number of
/// services may share it. Two coordinators can both believe that they are the steward for a while (one was stopped and
/// woke up); ``confirm(_:in:)`` lets only the newer of them write. What lies outside of the database (files, objects)
/// must be safe to do twice. A steward that dies is followed within a lifetime and a second.
package final class Stewardship: Sendable {
    private struct State {
        var candidacy: Candidacy
        var held: (term: Term, renewedAt: Timestamp)?
        var askedAt: Timestamp?
        var isAsking = false
    }

    private let database: any SQLDatabase
    private let store: StewardStore
    private let lifetime: Duration
    private let clock: any WallClock
    private let logger: Logger
    private let state: Mutex<State>

    package init(
        database: any SQLDatabase, stores: Stores, lifetime: Duration = .seconds(15), clock: any WallClock,
        logger: Logger
    ) {
        var generator = SystemRandomNumberGenerator()
        let name = Hexadecimal.text(of: (0..<12).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        self.database = database
        store = stores.steward
        self.lifetime = lifetime
        self.clock = clock
        self.logger = logger
        state = Mutex(State(candidacy: Candidacy(name: name, lifetime: lifetime)))
    }

    /// The term in which this coordinator is the steward, or `nil` when another one is.
    package func hold() async throws -> Term? {
        let now = clock.now()
        let isDue = state.withLock { state -> Bool in
            guard !state.isAsking else { return false }
            if let held = state.held {
                guard !isFresh(held.renewedAt, for: lifetime / 3, at: now) else { return false }
            } else if let askedAt = state.askedAt, isFresh(askedAt, for: min(.seconds(1), lifetime / 5), at: now) {
                return false
            }
            state.isAsking = true
            state.askedAt = now
            return true
        }
        if isDue { try await ask(at: now) }
        return state.withLock { state in
            guard let held = state.held, isFresh(held.renewedAt, for: lifetime, at: clock.now()) else { return nil }
            return held.term
        }
    }

    /// To be called first in a transaction that only the steward may do. Throws `conflict` when the term is over; until
    /// the transaction ends nobody can begin another.
    package func confirm(_ term: Term, in transaction: any SQLTransaction) async throws {
        guard try await store.confirm(term, in: transaction) else {
            state.withLock { if $0.held?.term == term { $0.held = nil } }
            throw ServiceError(
                .conflict, "another coordinator has become the steward since term \(term.number)", rule: "term-over")
        }
    }

    /// Lets another coordinator follow at once; for a shutdown.
    package func resign() async {
        let held = state.withLock { state in
            defer { state.held = nil }
            return state.held
        }
        guard let held else { return }
        // The task may be cancelled already, and whoever follows would have to wait for a lifetime.
        await Task {
            do {
                try await database.withTransaction { try await store.resign(held.term, in: $0) }
            } catch {
                logger.info("Could not resign as steward", metadata: ["error": "\(error)"])
            }
        }.value
        MetricsSystem.factory.set(.stewardTerm, to: 0)
    }

    private func isFresh(_ instant: Timestamp, for duration: Duration, at now: Timestamp) -> Bool {
        now >= instant && now - instant < duration
    }

    private func ask(at now: Timestamp) async throws {
        defer { state.withLock { $0.isAsking = false } }
        let record = try await database.read { try await store.find(in: $0) }
        let (move, name) = state.withLock { state in
            (state.candidacy.move(seeing: record, at: now), state.candidacy.name)
        }
        let expiresAt = now + lifetime
        let term: Term?
        switch move {
        case .wait:
            term = nil
        case .renew:
            let isCurrent = try await database.withTransaction {
                try await store.renew(record.term, until: expiresAt, in: $0)
            }
            term = isCurrent ? record.term : nil
        case .take:
            let isTaken = try await database.withTransaction {
                try await store.take(after: record, holder: name, until: expiresAt, in: $0)
            }
            term = isTaken ? Term(number: record.term.number + 1, holder: name) : nil
        }
        let before = state.withLock { state in
            defer { state.held = term.map { ($0, now) } }
            return state.held?.term
        }
        MetricsSystem.factory.set(.stewardTerm, to: Int(term?.number ?? 0))
        if let term, term != before {
            logger.notice("Became the steward", metadata: ["term": "\(term.number)"])
        } else if before != nil, term == nil {
            logger.warning("Another coordinator is the steward now", metadata: ["term": "\(record.term.number)"])
        }
    }
}
