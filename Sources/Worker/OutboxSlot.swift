import AgentCore
import Domain
import Synchronization

/// The outbox of the session that is open now, if one is.
final class OutboxSlot: Sendable {
    private let current = Mutex<(any AgentOutbox)?>(nil)

    func replace(_ outbox: (any AgentOutbox)?) { current.withLock { $0 = outbox } }

    /// `false` when there is no session, or its queue is full.
    @discardableResult
    func send(_ message: AgentMessage) -> Bool {
        guard let outbox = current.withLock({ $0 }) else { return false }
        return outbox.send(message)
    }
}
