package import Domain

/// Where frames for the coordinator go. Bounded: a session that cannot keep up is closed, and what matters is said
/// again on the next one.
package protocol AgentOutbox: Sendable {
    /// Queues one frame; `false` when the session is over or its queue is full.
    @discardableResult
    func send(_ message: AgentMessage) -> Bool
}
