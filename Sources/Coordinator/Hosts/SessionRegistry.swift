package import Domain
import Metrics
package import Queue
import Synchronization
import Telemetry

/// The sessions that are open on this coordinator, one a host: the newest wins, also over one on another coordinator.
package final class SessionRegistry: Sendable {
    struct Entry: Sendable {
        let epoch: Int64
        let close: Close
        let send: Send
        var disk: (free: Int64, total: Int64)?
        /// What it was told once.
        var told: Set<String> = []
    }

    /// Ends the session; the agent comes back after `delay`.
    typealias Close = @Sendable (_ reason: String, _ delay: Duration) -> Void
    typealias Send = @Sendable (CoordinatorMessage) -> Void

    /// When all sessions end at once, so many of them come back in a second.
    private static let returnsPerSecond = 100
    private static let longestReturn = Duration.seconds(10)

    private let bus: any CoordinatorBus
    private let entries = Mutex<[HostID: Entry]>([:])
    /// Sessions on other coordinators, as the database said lately.
    private let others = Mutex<[HostID: HostPresence]>([:])
    private let wakeUps = WakeUps()

    package init(bus: any CoordinatorBus) {
        self.bus = bus
    }

    /// Adds a session, ends an older one of the same host, and tells other coordinators that it is there.
    func add(_ host: HostID, epoch: Int64, send: @escaping Send = { _ in }, close: @escaping Close) {
        let older = entries.withLock { entries -> Entry? in
            defer { entries[host] = Entry(epoch: epoch, close: close, send: send) }
            return entries[host]
        }
        publishCount()
        older?.close("a newer session of this host was opened", .zero)
        announce(host)
        wakeUps.announce()
    }

    /// Tells other coordinators to look at a host.
    func announce(_ host: HostID) { bus.publish(.host(host)) }

    func remove(_ host: HostID, epoch: Int64) {
        entries.withLock { if $0[host]?.epoch == epoch { $0[host] = nil } }
        publishCount()
        wakeUps.announce()
    }

    /// Yields when a session was opened or has ended here.
    func changes() -> AsyncStream<Void> { wakeUps.changes() }

    func note(elsewhere sessions: [HostPresence]) {
        others.withLock { $0 = Dictionary(sessions.map { ($0.host, $0) }, uniquingKeysWith: { $1 }) }
    }

    private func publishCount() { MetricsSystem.factory.set(.agentSessions, to: count) }

    func setDisk(_ host: HostID, epoch: Int64, free: Int64, total: Int64) {
        entries.withLock { if $0[host]?.epoch == epoch { $0[host]?.disk = (free, total) } }
    }

    /// Says something on a session of a host, if it is still this one and was not told yet.
    func tell(_ host: HostID, epoch: Int64, _ message: CoordinatorMessage, once word: String) {
        let send = entries.withLock { entries -> Send? in
            guard entries[host]?.epoch == epoch, entries[host]?.told.insert(word).inserted == true else { return nil }
            return entries[host]?.send
        }
        send?(message)
    }

    /// Ends the session of a host, if it has one.
    package func close(_ host: HostID, reason: String) {
        entries.withLock { $0[host] }?.close(reason, .zero)
    }

    /// The same, if it is still this one.
    func close(_ host: HostID, epoch: Int64, reason: String) {
        entries.withLock { $0[host]?.epoch == epoch ? $0[host] : nil }?.close(reason, .zero)
    }

    /// Ends every session; for a shutdown. The agents come back, here or elsewhere, each at a time of its own.
    package func closeAll(reason: String) {
        let all = entries.withLock { Array($0.values) }
        let spread = min(Self.longestReturn, .seconds(1) * all.count / Self.returnsPerSecond)
        for entry in all { entry.close(reason, spread * Double.random(in: 0...1)) }
    }

    var hosts: Set<HostID> { entries.withLock { Set($0.keys) } }

    var epochs: [HostID: Int64] { entries.withLock { $0.mapValues(\.epoch) } }

    /// Whether it has a session here.
    package func isConnected(_ host: HostID) -> Bool { entries.withLock { $0[host] != nil } }

    /// Its session on another coordinator, as far as is known; what is known is a few seconds old.
    func elsewhere(_ host: HostID) -> HostPresence? { others.withLock { $0[host] } }

    /// Whether it has a session, here or elsewhere.
    package func isConnectedAnywhere(_ host: HostID) -> Bool { isConnected(host) || elsewhere(host) != nil }

    package var count: Int { entries.withLock { $0.count } }

    /// The room on its disk, whoever it said that to.
    func disk(of host: HostID) -> (free: Int64, total: Int64)? {
        if let entry = entries.withLock({ $0[host] }) { return entry.disk }
        guard let session = elsewhere(host), let free = session.diskFreeBytes, let total = session.diskTotalBytes else {
            return nil
        }
        return (free, total)
    }

    /// All sessions here.
    var sessions: [HostID: Entry] { entries.withLock { $0 } }
}
