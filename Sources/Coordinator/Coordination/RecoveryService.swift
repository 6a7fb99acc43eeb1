package import Database
package import Domain
package import Logging
import Metrics
package import Persistence
import Synchronization
import Telemetry

/// Notices that the database may have forgotten something, and then holds back whatever could make it worse.
///
/// In recovery nothing is granted, nothing is pushed to hosts, no completion is taken and no request changes anything;
/// hosts go on serving, and what they have that the database lacks is collected. An operator looks and accepts. From
/// then on the incarnation is higher than any before: no fence and no generation is given out twice.
package final class RecoveryService: Sendable {
    /// How things stand.
    package struct View: Sendable {
        package let isActive: Bool
        package let since: Timestamp?
        package let reason: String?
        package let incarnation: Incarnation
        package let finds: [RecoveryFind]
    }

    private struct State {
        var isActive = false
        var reason = ""
        var memory: DatabaseMemory?
    }

    private let database: any SQLDatabase
    private let stores: Stores
    /// `nil` in tests and tools that remember nothing.
    private let sidecar: Sidecar?
    private let registry: SessionRegistry
    private let desiredState: DesiredState
    private let clock: any WallClock
    private let logger: Logger
    private let state = Mutex(State())

    package init(
        database: any SQLDatabase, stores: Stores, sidecar: Sidecar?, registry: SessionRegistry,
        desiredState: DesiredState, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.sidecar = sidecar
        self.registry = registry
        self.desiredState = desiredState
        self.clock = clock
        self.logger = logger
    }

    /// Whether it was so a moment ago; what must be sure asks within its own transaction.
    package var isActive: Bool { state.withLock { $0.isActive } }

    /// Why, as far as this coordinator knows; for `/readyz`.
    package var reason: String? { state.withLock { $0.isActive ? $0.reason : nil } }

    /// Refuses what would change something.
    package func requireInactive() throws(ServiceError) {
        guard let reason else { return }
        throw ServiceError(
            .unavailable, "the coordinator is in recovery and changes nothing: \(reason)", rule: "recovery",
            nextStep: "An admin looks with `pagewright recovery show` and ends it with `pagewright recovery accept`.",
            retryAfter: .seconds(60))
    }

    /// Compares the database with what this machine remembers. To be called before anything is served, and again every
    /// second: a database can be restored, or a standby promoted, under a running coordinator.
    package func examine() async throws {
        let storage = try await database.storageIdentity()
        let remembered: DatabaseMemory?
        if let known = state.withLock({ $0.memory }) {
            remembered = known
        } else {
            remembered = try await sidecar?.load()
        }
        let (record, position) = try await database.read { transaction in
            (
                try await stores.installation.find(in: transaction),
                try await stores.events.latestID(in: transaction)
            )
        }
        let memory = DatabaseMemory(mark: record.mark, incarnation: record.incarnation, position: position)
        if record.recovery == nil {
            let finding =
                sidecar == nil
                ? (record.mark.isEmpty ? .new : .same)
                : MemoryCheck.compare(
                    database: memory, remembered: remembered, storage: storage, knownStorage: record.storage)
            switch finding {
            case .new: return try await begin(storage: storage ?? "", position: position)
            case .same:
                if let storage, record.storage.isEmpty {
                    try await database.withTransaction {
                        try await stores.installation.note(mark: record.mark, storage: storage, in: $0)
                    }
                }
            case .moved: return try await move(to: storage ?? "")
            case .doubtful(let reason): return try await enter(because: reason)
            }
            try await remember(memory)
        }
        note(record)
    }

    /// Puts the database's memory in doubt.
    func enter(because reason: String) async throws {
        let now = clock.now()
        let (record, isNew) = try await database.withTransaction { transaction in
            let isNew = try await enter(because: reason, at: now, in: transaction)
            return (try await stores.installation.find(in: transaction), isNew)
        }
        note(record)
        if isNew { logger.critical("Entered recovery", metadata: ["reason": "\(reason)"]) }
    }

    private func enter(
        because reason: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        guard try await stores.installation.enterRecovery(because: reason, at: now, in: transaction) else {
            return false
        }
        try await AuditTrail(stores: stores).record(
            .recoveryEntered, on: "database", by: .system, ["reason": reason], at: now, in: transaction)
        return true
    }

    /// Looks at what a host says when its session begins, for what the database lacks.
    func inspect(_ hello: AgentMessage.Hello, of host: HostID) async throws {
        let now = clock.now()
        let inquiry = RecoveryInquiry(stores: stores, host: host, now: now)
        let result = try await database.read { transaction in
            try await inquiry.finds(in: hello, in: transaction)
        }
        guard !result.finds.isEmpty else { return }
        let isNew = try await database.withTransaction { transaction in
            for find in result.finds { try await stores.recoveryFinds.insert(find, in: transaction) }
            guard result.isEvidence else { return false }
            return try await enter(
                because: "The host \(host) has what the database does not know.", at: now, in: transaction)
        }
        logger.error(
            "A host has what the database lacks",
            metadata: ["host.id": "\(host)", "finds": "\(result.finds.count)", "evidence": "\(result.isEvidence)"])
        if isNew { logger.critical("Entered recovery", metadata: ["reason": "the host \(host) is ahead"]) }
        note(try await database.read { try await stores.installation.find(in: $0) })
    }

    package func view(for principal: Principal) async throws -> View {
        try principal.requireAdmin()
        return try await view()
    }

    /// The same for an operator on the coordinator's own machine.
    package func view() async throws -> View {
        try await database.read { transaction in
            let record = try await stores.installation.find(in: transaction)
            return View(
                isActive: record.recovery != nil, since: record.recovery?.since, reason: record.recovery?.reason,
                incarnation: record.incarnation, finds: try await stores.recoveryFinds.list(in: transaction))
        }
    }

    package func accept(for principal: Principal) async throws -> View {
        try principal.requireAdmin()
        return try await accept(by: .user(principal.user), requestID: principal.requestID)
    }

    /// Takes the database as it is: what it lacks is lost. Fences, generations and the numbers of versions go on above
    /// everything that was ever seen, and work begins again.
    @discardableResult
    package func accept(by actor: AuditActor, requestID: String = "") async throws -> View {
        let now = clock.now()
        let remembered = try await sidecar?.load()
        let storage = try await database.storageIdentity()
        let incarnation = try await database.withTransaction { transaction in
            let record = try await stores.installation.find(in: transaction)
            guard record.recovery != nil else {
                throw ServiceError(.conflict, "the coordinator is not in recovery", rule: "recovery-over")
            }
            let finds = try await stores.recoveryFinds.list(in: transaction)
            var highest = max(record.incarnation, remembered?.incarnation ?? .first)
            for find in finds {
                switch find.kind {
                case .site, .generation: highest = max(highest, Incarnation(ofGeneration: find.number))
                case .lease: highest = max(highest, Incarnation(rawValue: Fence(rawValue: find.number).incarnation))
                case .version, .job: break
                }
            }
            let next = try highest.next()
            try await stores.installation.raise(to: next, in: transaction)
            try await stores.placements.raiseAll(to: next.lowestGeneration, at: now, in: transaction)
            for find in finds where find.kind == .version {
                guard let site = find.site else { continue }
                try await stores.sites.raiseLastVersion(of: site, to: find.number, in: transaction)
            }
            try await stores.recoveryFinds.acceptAll(at: now, in: transaction)
            try await stores.installation.leaveRecovery(in: transaction)
            try await stores.installation.note(
                mark: record.mark, storage: storage ?? record.storage, in: transaction)
            try await AuditTrail(stores: stores).record(
                .recoveryAccepted, on: "database", by: actor,
                ["incarnation": next.description, "finds": String(finds.count)], requestID: requestID, at: now,
                in: transaction)
            return next
        }
        state.withLock { $0.memory = nil }
        let (record, position) = try await database.read { transaction in
            (
                try await stores.installation.find(in: transaction),
                try await stores.events.latestID(in: transaction)
            )
        }
        try await remember(DatabaseMemory(mark: record.mark, incarnation: record.incarnation, position: position))
        note(record)
        logger.notice("Accepted the recovery", metadata: ["incarnation": "\(incarnation)", "by": "\(actor.text)"])
        return try await view()
    }

    /// A database that was never used gets its mark.
    private func begin(storage: String, position: Int64) async throws {
        var generator = SystemRandomNumberGenerator()
        let mark = Hexadecimal.text(of: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let record = try await database.withTransaction { transaction in
            // Another coordinator may have been faster.
            if try await stores.installation.find(in: transaction).mark.isEmpty {
                try await stores.installation.note(mark: mark, storage: storage, in: transaction)
            }
            return try await stores.installation.find(in: transaction)
        }
        try await remember(DatabaseMemory(mark: record.mark, incarnation: record.incarnation, position: position))
        note(record)
    }

    /// Another server or timeline: a standby may lack what was granted last, so fences go on above.
    private func move(to storage: String) async throws {
        let now = clock.now()
        let record = try await database.withTransaction { transaction in
            let record = try await stores.installation.find(in: transaction)
            // Another coordinator may have been faster.
            guard record.storage != storage else { return record }
            let next = try record.incarnation.next()
            try await stores.installation.raise(to: next, in: transaction)
            try await stores.installation.note(mark: record.mark, storage: storage, in: transaction)
            try await AuditTrail(stores: stores).record(
                .incarnationRaised, on: "database", by: .system,
                ["incarnation": next.description, "storage": storage, "before": record.storage], at: now,
                in: transaction)
            return try await stores.installation.find(in: transaction)
        }
        logger.warning(
            "The database moved; fences go on in a new incarnation", metadata: ["incarnation": "\(record.incarnation)"])
        note(record)
    }

    private func remember(_ memory: DatabaseMemory) async throws {
        guard state.withLock({ $0.memory }) != memory else { return }
        try await sidecar?.save(memory)
        state.withLock { $0.memory = memory }
    }

    private func note(_ record: InstallationRecord) {
        let wasActive = state.withLock { state in
            defer {
                state.isActive = record.recovery != nil
                state.reason = record.recovery?.reason ?? ""
            }
            return state.isActive
        }
        MetricsSystem.factory.set(.recovery, to: record.recovery == nil ? 0 : 1)
        guard wasActive, record.recovery == nil else { return }
        // Hosts say once more what they have, and are told once more what they shall have.
        registry.closeAll(reason: "the recovery was accepted")
        desiredState.advance()
    }
}
