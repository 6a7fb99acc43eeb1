import Domain
import Synchronization

/// Attempts that ended a moment ago. The result of an attempt overtakes its log on the way here, so its last words are
/// still taken for a while: from the same host, with the same lease, and no longer than ``patience``.
///
/// In memory: when the coordinator dies in that while, the end of a log is lost and nothing else.
package final class EndedAttempts: Sendable {
    static let patience = Duration.seconds(30)
    private static let limit = 1000

    private struct End {
        let host: HostID
        let until: Timestamp
    }

    private struct State {
        var ends: [JobLease: End] = [:]
        /// Oldest first, from ``oldest`` on.
        var order: [JobLease] = []
        var oldest = 0

        mutating func forgetOldest() {
            ends[order[oldest]] = nil
            oldest += 1
            // Seldom, so that each costs the same.
            if oldest >= EndedAttempts.limit {
                order.removeFirst(oldest)
                oldest = 0
            }
        }
    }

    private let state = Mutex(State())

    package init() {}

    func note(_ lease: JobLease, of host: HostID, at now: Timestamp) {
        state.withLock { state in
            while state.oldest < state.order.count, let end = state.ends[state.order[state.oldest]],
                end.until <= now || state.ends.count >= Self.limit
            {
                state.forgetOldest()
            }
            // One that is told twice keeps its place.
            if state.ends.updateValue(End(host: host, until: now + Self.patience), forKey: lease) == nil {
                state.order.append(lease)
            }
        }
    }

    /// Whether the log of this attempt is still taken.
    func contains(_ lease: JobLease, of host: HostID, at now: Timestamp) -> Bool {
        state.withLock { state in
            guard let end = state.ends[lease] else { return false }
            return end.host == host && end.until > now
        }
    }
}
