import Synchronization

/// Reads the same thing once for all who ask for it at the same time.
///
/// **The rule.** Nobody gets what began to be read before they asked: a read is shared only by callers who had all asked
/// when it began. So what a caller gets is never older than its own request, as if it had read by itself, and whatever was
/// answered before the request began is in it. Nothing is kept once it was handed out, and a failure is shared as a value
/// is.
///
/// One read of a key runs at a time. Who comes while it runs waits for its end; then the first of those who wait reads for
/// all of them. Nobody waits for a read that takes longer than ``patience``: the next who comes reads beside it, for all who
/// wait by then. A caller that is cancelled leaves the read to another.
final class JoinedReads<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private enum Turn: Sendable {
        /// To read, for the callers with these tickets as well.
        case read(for: [UInt64])
        case given(Value)
    }

    /// The read of a key that is under way.
    private struct Line {
        /// The ticket of who reads.
        let reader: UInt64
        let began: ContinuousClock.Instant
        /// Who came since it began.
        var waiting: [UInt64] = []
    }

    private typealias Waiter = CheckedContinuation<Turn, any Error>

    private struct State {
        var lines: [Key: Line] = [:]
        var waiters: [UInt64: Waiter] = [:]
    }

    private let patience: Duration
    private let lastTicket = Atomic<UInt64>(0)
    private let state = Mutex(State())

    init(patience: Duration = .milliseconds(250)) { self.patience = patience }

    /// How many callers wait for others' reads.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// What `body` reads, in this call or in that of another caller for the same key, begun after this call.
    func read(_ key: Key, _ body: () async throws -> Value) async throws -> Value {
        let ticket = lastTicket.wrappingAdd(1, ordering: .relaxed).newValue
        let others: [UInt64]
        switch try await turn(of: ticket, key) {
        case .given(let value): return value
        case .read(let tickets): others = tickets
        }
        do {
            let value = try await body()
            finish(key, by: ticket, for: others, .success(.given(value)))
            return value
        } catch is CancellationError {
            leave(key, by: ticket, to: others)
            throw CancellationError()
        } catch {
            finish(key, by: ticket, for: others, .failure(error))
            throw error
        }
    }

    private func turn(of ticket: UInt64, _ key: Key) async throws -> Turn {
        if let turn = state.withLock({ Self.immediateTurn(of: ticket, key, patience, &$0) }) { return turn }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let turn = state.withLock { state -> Turn? in
                    // The read may have ended since.
                    if let turn = Self.immediateTurn(of: ticket, key, patience, &state) { return turn }
                    state.waiters[ticket] = continuation
                    state.lines[key]?.waiting.append(ticket)
                    return nil
                }
                if let turn { return continuation.resume(returning: turn) }
                if Task.isCancelled { abandon(ticket) }
            }
        } onCancel: {
            abandon(ticket)
        }
    }

    /// `nil` when a read is under way that is to be waited for.
    private static func immediateTurn(
        of ticket: UInt64, _ key: Key, _ patience: Duration, _ state: inout State
    ) -> Turn? {
        let now = ContinuousClock.now
        let line = state.lines[key]
        if let line, now - line.began < patience { return nil }
        state.lines[key] = Line(reader: ticket, began: now)
        return .read(for: line?.waiting ?? [])
    }

    private func abandon(_ ticket: UInt64) {
        state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(throwing: CancellationError())
    }

    /// Hands out what was read, and lets the next one read.
    private func finish(
        _ key: Key, by reader: UInt64, for others: [UInt64], _ result: Result<Turn, any Error>
    ) {
        let (served, next) = state.withLock { state in
            let served = others.compactMap { state.waiters.removeValue(forKey: $0) }
            // Somebody else reads beside this one, who was too slow.
            guard let line = state.lines[key], line.reader == reader else { return (served, nil as (Waiter, Turn)?) }
            return (served, Self.nextTurn(key, among: line.waiting, &state))
        }
        for waiter in served { waiter.resume(with: result) }
        if let (waiter, turn) = next { waiter.resume(returning: turn) }
    }

    /// Lets another one read for those who waited for this one. All of them asked before that read begins.
    private func leave(_ key: Key, by reader: UInt64, to others: [UInt64]) {
        let next = state.withLock { state -> (Waiter, Turn)? in
            if let line = state.lines[key], line.reader != reader {
                state.lines[key]?.waiting += others
                return nil
            }
            return Self.nextTurn(key, among: others + (state.lines[key]?.waiting ?? []), &state)
        }
        if let (waiter, turn) = next { waiter.resume(returning: turn) }
    }

    /// The first of these who is still there reads for the rest of them.
    private static func nextTurn(_ key: Key, among tickets: [UInt64], _ state: inout State) -> (Waiter, Turn)? {
        for (index, ticket) in tickets.enumerated() {
            guard let waiter = state.waiters.removeValue(forKey: ticket) else { continue }
            state.lines[key] = Line(reader: ticket, began: .now)
            return (waiter, .read(for: Array(tickets[(index + 1)...])))
        }
        state.lines[key] = nil
        return nil
    }
}
