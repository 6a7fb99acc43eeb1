package import Domain
import Metrics
import Synchronization
import Telemetry

/// The sessions that are open on this coordinator, one a host: the newest wins.
package final class SessionRegistry: Sendable {
    struct Entry: Sendable {
        let epoch: Int64
        let close: @Sendable (_ reason: String) -> Void
        var disk: (free: Int64, total: Int64)?
    }

    private let entries = Mutex<[HostID: Entry]>([:])

    package init() {}

    /// Adds a session and ends an older one of the same host.
    func add(_ host: HostID, epoch: Int64, close: @escaping @Sendable (String) -> Void) {
        let older = entries.withLock { entries -> Entry? in
            defer { entries[host] = Entry(epoch: epoch, close: close) }
            return entries[host]
        }
        publishCount()
        older?.close("a newer session of this host was opened")
    }

    func remove(_ host: HostID, epoch: Int64) {
        entries.withLock { if $0[host]?.epoch == epoch { $0[host] = nil } }
        publishCount()
    }

    private func publishCount() { MetricsSystem.factory.set(.agentSessions, to: count) }

    func setDisk(_ host: HostID, epoch: Int64, free: Int64, total: Int64) {
        entries.withLock { if $0[host]?.epoch == epoch { $0[host]?.disk = (free, total) } }
    }

    /// Ends the session of a host, if it has one.
    package func close(_ host: HostID, reason: String) {
        entries.withLock { $0[host] }?.close(reason)
    }

    /// Ends every session; for a shutdown.
    package func closeAll(reason: String) {
        for entry in entries.withLock({ Array($0.values) }) { entry.close(reason) }
    }

    package func isConnected(_ host: HostID) -> Bool { entries.withLock { $0[host] != nil } }

    package var count: Int { entries.withLock { $0.count } }

    func disk(of host: HostID) -> (free: Int64, total: Int64)? { entries.withLock { $0[host]?.disk } }
}
