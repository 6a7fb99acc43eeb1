import Domain
import Synchronization

/// Remembers for a few seconds which sessions were open, so that not every request asks the database. A session that
/// another coordinator ended is over here that much later.
final class SessionWatch: Sendable {
    static let memory = Duration.seconds(5)
    private static let capacity = 10_000

    private let open = Mutex<[SessionID: Timestamp]>([:])

    func isKnownOpen(_ session: SessionID, at now: Timestamp) -> Bool {
        open.withLock { open in
            guard let seen = open[session] else { return false }
            return now >= seen && now < seen + Self.memory
        }
    }

    func note(_ session: SessionID, at now: Timestamp) {
        open.withLock { open in
            if open.count >= Self.capacity { open.removeAll() }
            open[session] = now
        }
    }

    /// Something ended here: everybody is asked for again.
    func forgetAll() { open.withLock { $0.removeAll() } }
}
