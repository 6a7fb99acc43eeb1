import Synchronization

/// How often and how much one task has asked.
final class EgressLedger: Sendable {
    private struct State {
        var requests = 0
        var bytes: Int64 = 0
        var connections = 0
    }

    private let grant: EgressGrant
    private let state = Mutex(State())

    init(_ grant: EgressGrant) { self.grant = grant }

    func beginRequest() throws(EgressRefusal) {
        let refusal = state.withLock { state -> EgressRefusal? in
            if state.requests >= grant.requestBudget { return .requestBudget }
            if state.bytes >= grant.byteBudget { return .byteBudget }
            state.requests += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    func count(_ bytes: Int) throws(EgressRefusal) {
        let isOver = state.withLock { state in
            state.bytes += Int64(bytes)
            return state.bytes > grant.byteBudget
        }
        if isOver { throw .byteBudget }
    }

    /// `false` when there are too many already; otherwise ``endConnection()`` must follow.
    func beginConnection(limit: Int) -> Bool {
        state.withLock { state in
            guard state.connections < limit else { return false }
            state.connections += 1
            return true
        }
    }

    func endConnection() { state.withLock { $0.connections -= 1 } }

    var total: (requests: Int, bytes: Int64) { state.withLock { ($0.requests, $0.bytes) } }
}
