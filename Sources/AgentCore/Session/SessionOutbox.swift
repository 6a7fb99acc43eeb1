import Domain
import Synchronization

/// What waits to be said on one session. Never more than ``limit`` frames: what people read (logs) gives way first, and
/// when nothing is left that could give way, the session has to end.
final class SessionOutbox: AgentOutbox {
    enum Outgoing: Sendable, Equatable {
        case message(AgentMessage)
        /// Ask who holds leases now, and say so: a lease is renewed from the instant of that question.
        case heartbeat
    }

    static let limit = 256
    static let logLimitInBytes = 1 << 20

    /// In the order in which they are said.
    private enum Priority: Int, CaseIterable {
        case completion, decision, report, log

        init(_ message: AgentMessage) {
            switch message {
            case .hello, .heartbeat, .complete: self = .completion
            case .accept, .reject, .siteStatus: self = .decision
            case .credit, .progress, .step, .condition, .upgradeReport: self = .report
            case .log: self = .log
            }
        }
    }

    private struct State {
        var queues: [[AgentMessage]] = Array(repeating: [], count: Priority.allCases.count)
        var isHeartbeatDue = false
        var logBytes = 0
        /// Bytes of logs that were dropped and not yet told.
        var gaps: [JobLease: Int64] = [:]
        var isClosed = false
        var hasOverflowed = false
        var waiter: CheckedContinuation<Outgoing?, Never>?

        var count: Int { queues.reduce(0) { $0 + $1.count } }
    }

    private let state = Mutex(State())

    /// Whether it was closed because too much waited.
    var hasOverflowed: Bool { state.withLock { $0.hasOverflowed } }

    @discardableResult
    func send(_ message: AgentMessage) -> Bool {
        let (isTaken, wakeUp) = state.withLock { state -> (Bool, (() -> Void)?) in
            guard !state.isClosed else { return (false, nil) }
            if !Self.replaceOlder(message, in: &state) {
                guard Self.makeRoom(for: message, in: &state) else {
                    state.isClosed = true
                    state.hasOverflowed = true
                    return (false, Self.wakeUp(&state))
                }
                if case .log(_, let text, _) = message { state.logBytes += text.utf8.count }
                state.queues[Priority(message).rawValue].append(message)
            }
            return (true, Self.wakeUp(&state))
        }
        wakeUp?()
        return isTaken
    }

    /// Asks for a heartbeat before everything else.
    func requestHeartbeat() {
        let wakeUp = state.withLock { state in
            state.isHeartbeatDue = true
            return Self.wakeUp(&state)
        }
        wakeUp?()
    }

    /// Nothing goes in any more, and nothing comes out.
    func close() {
        let wakeUp = state.withLock { state in
            state.isClosed = true
            return Self.wakeUp(&state)
        }
        wakeUp?()
    }

    /// What to say next; `nil` when the session is over. For one caller.
    func next() async -> Outgoing? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wakeUp = state.withLock { state in
                    state.waiter = continuation
                    return Self.wakeUp(&state)
                }
                wakeUp?()
            }
        } onCancel: {
            close()
        }
    }

    /// Gives the waiting caller something, outside of the lock.
    private static func wakeUp(_ state: inout State) -> (() -> Void)? {
        guard let waiter = state.waiter else { return nil }
        if state.isClosed {
            state.waiter = nil
            return { waiter.resume(returning: nil) }
        }
        guard let outgoing = take(&state) else { return nil }
        state.waiter = nil
        return { waiter.resume(returning: outgoing) }
    }

    private static func take(_ state: inout State) -> Outgoing? {
        if state.isHeartbeatDue {
            state.isHeartbeatDue = false
            return .heartbeat
        }
        guard let index = state.queues.firstIndex(where: { !$0.isEmpty }) else { return nil }
        let message = state.queues[index].removeFirst()
        guard case .log(let lease, let text, let dropped) = message else { return .message(message) }
        state.logBytes -= text.utf8.count
        let gap = state.gaps.removeValue(forKey: lease) ?? 0
        return .message(.log(lease, text: text, droppedBytes: dropped + gap))
    }

    /// Some frames only matter in their newest form.
    private static func replaceOlder(_ message: AgentMessage, in state: inout State) -> Bool {
        let queue = Priority(message).rawValue
        let older = state.queues[queue].lastIndex { waiting in
            switch (waiting, message) {
            case (.credit, .credit), (.condition, .condition): true
            case (.progress(let left, _, _), .progress(let right, _, _)): left == right
            case (.siteStatus(let left), .siteStatus(let right)): left.site == right.site
            default: false
            }
        }
        guard let older else { return false }
        state.queues[queue][older] = message
        return true
    }

    /// Drops the oldest logs until there is room; `false` when that is not enough.
    private static func makeRoom(for message: AgentMessage, in state: inout State) -> Bool {
        var addedBytes = 0
        if case .log(_, let text, _) = message { addedBytes = text.utf8.count }
        let logs = Priority.log.rawValue
        while state.count >= limit || state.logBytes + addedBytes > logLimitInBytes {
            guard !state.queues[logs].isEmpty,
                case .log(let lease, let text, let dropped) = state.queues[logs].removeFirst()
            else { return state.count < limit }
            state.logBytes -= text.utf8.count
            if state.gaps.count < limit || state.gaps[lease] != nil {
                state.gaps[lease, default: 0] += Int64(text.utf8.count) + dropped
            }
        }
        return true
    }
}
