import Domain
import Synchronization

/// How many event streams may be open at once, in all and for one user: each costs a read of the database an event.
final class EventStreamLimit: Sendable {
    private struct State {
        var total = 0
        var byUser: [UserID: Int] = [:]
    }

    /// A place in the count, for as long as it is held. An answer that is never sent holds it no longer.
    final class Place: Sendable {
        private let limit: EventStreamLimit
        private let user: UserID

        fileprivate init(limit: EventStreamLimit, user: UserID) {
            self.limit = limit
            self.user = user
        }

        deinit { limit.leave(user) }
    }

    private let total: Int
    private let perUser: Int
    private let state = Mutex(State())

    init(total: Int = 500, perUser: Int = 20) {
        self.total = total
        self.perUser = perUser
    }

    var count: Int { state.withLock { $0.total } }

    func enter(_ user: UserID) throws(ServiceError) -> Place {
        let fits = state.withLock { state in
            guard state.total < total, state.byUser[user, default: 0] < perUser else { return false }
            state.total += 1
            state.byUser[user, default: 0] += 1
            return true
        }
        guard fits else {
            throw ServiceError(
                .rateLimited, "too many event streams are open", rule: "event-streams",
                nextStep: "Close some of them first.", retryAfter: .seconds(10))
        }
        return Place(limit: self, user: user)
    }

    private func leave(_ user: UserID) {
        state.withLock { state in
            state.total -= 1
            let rest = state.byUser[user, default: 1] - 1
            state.byUser[user] = rest > 0 ? rest : nil
        }
    }
}
