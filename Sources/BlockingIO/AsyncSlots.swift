import Synchronization

/// A counting semaphore for tasks: first come, first served, and a waiter can be cancelled.
package final class AsyncSlots: Sendable {
    private enum Waiter {
        case cancellable(CheckedContinuation<Void, any Error>)
        case persistent(CheckedContinuation<Void, Never>)

        func resume() {
            switch self {
            case .cancellable(let continuation): continuation.resume()
            case .persistent(let continuation): continuation.resume()
            }
        }
    }

    private struct State {
        var free: Int
        var nextTicket: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        /// Tickets in the order of arrival; those of waiters that gave up are skipped.
        var line: [UInt64] = []
        var firstInLine = 0
        var cancelled: Set<UInt64> = []

        mutating func takeTicket() -> UInt64 {
            nextTicket += 1
            return nextTicket
        }

        mutating func enqueue(_ waiter: Waiter, ticket: UInt64) {
            waiters[ticket] = waiter
            line.append(ticket)
        }

        mutating func dequeue() -> Waiter? {
            while firstInLine < line.count {
                let ticket = line[firstInLine]
                firstInLine += 1
                if firstInLine > 64 && firstInLine * 2 > line.count {
                    line.removeFirst(firstInLine)
                    firstInLine = 0
                }
                if let waiter = waiters.removeValue(forKey: ticket) { return waiter }
            }
            return nil
        }
    }

    private let state: Mutex<State>

    package init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// Whether somebody waits for a slot at this moment.
    package var isAwaited: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Takes a slot, waiting for one if need be. Throws `CancellationError` when cancelled while it waits.
    package func acquire() async throws {
        let ticket = state.withLock { state -> UInt64? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            return state.takeTicket()
        }
        guard let ticket else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let verdict = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(ticket) != nil { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.enqueue(.cancellable(continuation), ticket: ticket)
                    return nil
                }
                if let verdict { continuation.resume(with: verdict) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                if let waiter = state.waiters.removeValue(forKey: ticket) { return waiter }
                state.cancelled.insert(ticket)
                return nil
            }
            if case .cancellable(let continuation) = waiter { continuation.resume(throwing: CancellationError()) }
        }
        // A cancellation that came after the slot was given leaves a mark that nobody will read.
        _ = state.withLock { $0.cancelled.remove(ticket) }
    }

    /// Takes a slot, waiting for one if need be, in a cancelled task too: for work that cleans up.
    package func acquireEvenIfCancelled() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isFree = state.withLock { state -> Bool in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                let ticket = state.takeTicket()
                state.enqueue(.persistent(continuation), ticket: ticket)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Gives a slot back; the longest waiter gets it.
    package func release() {
        let waiter = state.withLock { state -> Waiter? in
            if let waiter = state.dequeue() { return waiter }
            state.free += 1
            return nil
        }
        waiter?.resume()
    }
}
