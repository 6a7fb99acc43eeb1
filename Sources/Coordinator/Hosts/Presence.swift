import Database
import Domain
import Logging
import Persistence
import ServiceLifecycle
import Synchronization

/// Lets every coordinator know which hosts have a session at another one: writes down the sessions here, reads those
/// elsewhere, and clears away what a dead coordinator left.
///
/// Sessions that were opened or ended are written together, a quarter of a second after the first; a coordinator at rest
/// writes one row in five seconds, however many sessions it has. Nothing is decided by what is read here: it is shown.
package final class Presence: Service {
    private struct Memory {
        /// As it was written last.
        var written: [HostID: HostPresence] = [:]
        var beatAt: ContinuousClock.Instant?
        /// Never the same twice: also one that was taken for dead is seen to live again.
        var pulse: Int64 = 0
        var watch = PulseWatch<ContinuousClock.Instant>()
        var isBlind = false
    }

    private static let interval = Duration.seconds(2)
    private static let pulse = Duration.seconds(5)
    /// After three pulses that did not come a coordinator is taken for dead.
    static let patience = Duration.seconds(16)
    private static let gathering = Duration.milliseconds(250)

    /// What this coordinator is called among all; chance, and another one with each start.
    let name: String
    private let database: any SQLDatabase
    private let store: PresenceStore
    private let registry: SessionRegistry
    private let workers: WorkerPool
    private let clock: any WallClock
    private let logger: Logger
    private let memory = Mutex(Memory())

    init(
        database: any SQLDatabase, stores: Stores, registry: SessionRegistry, workers: WorkerPool,
        clock: any WallClock, logger: Logger
    ) {
        var generator = SystemRandomNumberGenerator()
        name = Hexadecimal.text(of: (0..<12).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        self.database = database
        store = stores.presence
        self.registry = registry
        self.workers = workers
        self.clock = clock
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            let wakeUps = WakeUpsOrTime(changes: self.registry.changes(), interval: Self.interval)
            try? await wakeUps.forEach { reason in
                if reason == .wakeUp { try await Task.sleep(for: Self.gathering) }
                await self.seeing { try await self.round(at: .now) }
            }
        }
        // Whoever looks next must not wait for the patience. The task may be cancelled already.
        await Task { try? await database.withTransaction(on: .only([])) { try await store.leave(name, in: $0) } }.value
    }

    /// Writes what changed here, and reads what is elsewhere.
    func round(at now: ContinuousClock.Instant) async throws {
        try await write(at: now)
        try await look(at: now)
    }

    // MARK: Here

    private var here: [HostID: HostPresence] {
        let workers = workers.all
        return registry.sessions.reduce(into: [:]) { sessions, session in
            let (host, entry) = session
            let worker = workers[host]
            sessions[host] = HostPresence(
                host: host, coordinator: name, epoch: entry.epoch, isWorker: worker != nil,
                engines: worker?.engines ?? [], slots: worker?.slots ?? 0, isDraining: worker?.isDraining ?? false,
                diskFreeBytes: entry.disk?.free, diskTotalBytes: entry.disk?.total)
        }
    }

    private func write(at now: ContinuousClock.Instant) async throws {
        let here = here
        let (written, isDue, pulse) = memory.withLock { memory in
            memory.pulse += 1
            return (memory.written, memory.beatAt.map { now - $0 >= Self.pulse } ?? true, memory.pulse)
        }
        let changed = here.values.filter { session in written[session.host].map(session.differs) ?? true }
        let ended = written.values.filter { here[$0.host]?.epoch != $0.epoch }
        guard isDue || !changed.isEmpty || !ended.isEmpty else { return }
        let instant = clock.now()
        let isKnown = try await database.withTransaction(on: .only([])) { transaction in
            let isKnown = try await store.beat(name, pulse: pulse, at: instant, in: transaction)
            for session in ended { try await store.remove(session.host, epoch: session.epoch, in: transaction) }
            // Others took this one for dead, or it is new here: all of it, once.
            try await store.write(isKnown ? changed : Array(here.values), in: transaction)
            return isKnown
        }
        memory.withLock { memory in
            memory.beatAt = now
            if !isKnown { memory.written = here }
            for session in ended { memory.written[session.host] = nil }
            for session in changed { memory.written[session.host] = session }
        }
    }

    // MARK: Elsewhere

    private func look(at now: ContinuousClock.Instant) async throws {
        let (pulses, sessions) = try await database.read { transaction in
            let pulses = try await store.pulses(in: transaction)
            // Most of the time there is nobody else.
            guard pulses.contains(where: { $0.key != name }) else { return (pulses, [HostPresence]()) }
            return (pulses, try await store.sessions(elsewhereThan: name, in: transaction))
        }
        let silent = memory.withLock { $0.watch.silent(among: pulses, at: now, patience: Self.patience) }
            .subtracting([name])
        let living = sessions.filter { pulses[$0.coordinator] != nil && !silent.contains($0.coordinator) }
        registry.note(elsewhere: living)
        workers.note(elsewhere: living)
        for gone in silent.sorted() {
            guard let pulse = pulses[gone] else { continue }
            try await database.withTransaction(on: .only([])) { try await store.forget(gone, pulse: pulse, in: $0) }
            logger.notice("Another coordinator is gone", metadata: ["coordinator": "\(gone)"])
        }
    }

    /// That the database is out of reach is said once, not every two seconds.
    private func seeing(_ look: () async throws -> Void) async {
        do {
            try await look()
            memory.withLock { $0.isBlind = false }
        } catch {
            guard !(error is CancellationError), !Task.isCancelled else { return }
            let wasBlind = memory.withLock { memory in
                defer { memory.isBlind = true }
                return memory.isBlind
            }
            if !wasBlind {
                logger.error("Could not share which hosts are connected", metadata: ["error": "\(error)"])
            }
        }
    }
}
