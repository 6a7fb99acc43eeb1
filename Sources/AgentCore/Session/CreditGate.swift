import Domain
import Synchronization

/// Lets everything through but free slots, while the host is drained.
final class CreditGate: AgentOutbox {
    private let outbox: any AgentOutbox
    private let drain: LocalDrain
    /// What the worker said last.
    private let slots = Mutex<Int?>(nil)

    init(_ outbox: any AgentOutbox, drain: LocalDrain) {
        self.outbox = outbox
        self.drain = drain
    }

    func send(_ message: AgentMessage) -> Bool {
        guard case .credit(let count) = message else { return outbox.send(message) }
        slots.withLock { $0 = count }
        return outbox.send(.credit(slots: drain.isDrained ? 0 : count))
    }

    /// Says again how many slots there are.
    func renew() {
        guard let count = slots.withLock({ $0 }) else { return }
        outbox.send(.credit(slots: drain.isDrained ? 0 : count))
    }
}
