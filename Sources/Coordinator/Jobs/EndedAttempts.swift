import Domain
import Synchronization

/// Attempts that ended a moment ago. The result of an attempt overtakes its log on the way here, so its last words are
/// still taken for a while: from the same host, with the same lease, and no longer than ``patience``.
///
/// In memory: when the coordinator dies in that while, the end of a log is lost and nothing else.
package final class EndedAttempts: Sendable {
    static let patience = Duration.seconds(30)
    private static let limit = 1000

    private struct Entry {
        let lease: JobLease
        let host: HostID
        let until: Timestamp
    }

    /// Oldest first.
    private let entries = Mutex<[Entry]>([])

    package init() {}

    func note(_ lease: JobLease, of host: HostID, at now: Timestamp) {
        entries.withLock { entries in
            entries.removeAll { $0.until <= now || $0.lease == lease }
            if entries.count >= Self.limit { entries.removeFirst() }
            entries.append(Entry(lease: lease, host: host, until: now + Self.patience))
        }
    }

    /// Whether the log of this attempt is still taken.
    func contains(_ lease: JobLease, of host: HostID, at now: Timestamp) -> Bool {
        entries.withLock { $0.contains { $0.lease == lease && $0.host == host && $0.until > now } }
    }
}
