import Domain
import Synchronization

/// Notices that an agent fell silent.
final class SessionLiveness: Sendable {
    private let silenceLimit: Duration
    private let lastHeard = Mutex(ContinuousClock.now)

    init(silenceLimit: Duration) {
        self.silenceLimit = silenceLimit
    }

    func touch() { lastHeard.withLock { $0 = .now } }

    /// Throws `unavailable` when nothing was heard for the limit.
    func waitForSilence() async throws {
        while true {
            let deadline = lastHeard.withLock { $0 } + silenceLimit
            guard deadline > .now else {
                throw ServiceError(.unavailable, "the agent fell silent", rule: "session-silence")
            }
            try await Task.sleep(until: deadline, clock: .continuous)
        }
    }
}
