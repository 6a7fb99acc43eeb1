package import Database
package import Domain
package import Logging
package import Persistence

/// What an admin sees of one engine.
package struct EngineView: Sendable {
    package let engine: EngineName
    /// `nil` when nobody configured it; the built-in one needs nothing.
    package let setting: EngineSetting?
    /// How many connected workers can run it.
    package let workers: Int
}

/// Shows, sets and tests how engines ask their models.
package struct EngineService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let workers: WorkerPool
    private let sealer: KeySealer
    private let probe: (any ModelProbe)?
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, workers: WorkerPool, sealer: KeySealer, probe: (any ModelProbe)?,
        clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.workers = workers
        self.sealer = sealer
        self.probe = probe
        self.clock = clock
        self.logger = logger
    }

    package func list(for principal: Principal) async throws -> [EngineView] {
        try principal.requireAdmin()
        let settings = try await database.read { try await stores.engines.list(in: $0) }
        return EngineName.allCases.map { engine in
            EngineView(
                engine: engine, setting: settings.first { $0.engine == engine },
                workers: workers.count(running: engine))
        }
    }

    package func find(_ name: String, for principal: Principal) async throws -> EngineView {
        try principal.requireAdmin()
        let engine = try EngineName(named: name)
        return EngineView(
            engine: engine, setting: try await database.read { try await stores.engines.find(engine, in: $0) },
            workers: workers.count(running: engine))
    }

    /// Changes what is given and keeps the rest. A key is sealed before anything else happens to it.
    package func change(
        _ name: String, _ change: EngineChange, for principal: Principal
    ) async throws -> EngineView {
        try principal.requireAdmin()
        let engine = try EngineName(named: name)
        let key = try change.key.map { $0.isEmpty ? "" : try EngineSetting.checkedKey($0) }
        let sealed = try key.map { $0.isEmpty ? nil : try sealer.seal($0, for: engine) }
        let now = clock.now()
        let setting = try await database.withTransaction { transaction in
            let current = try await stores.engines.find(engine, in: transaction)
            var setting = try change.applied(to: current, of: engine, at: now)
            var kept = try await stores.engines.sealedKey(of: engine, in: transaction)
            if let sealed, let key {
                kept = sealed
                setting.keyHint = sealed == nil ? nil : EngineSetting.hint(of: key)
            } else if let current, current.baseURL != setting.baseURL, kept != nil {
                // A key is meant for the address that it was given for: it is never sent to another one unasked.
                throw ServiceError(
                    .invalidArgument, "another address needs its key once more", field: "key",
                    rule: "key-for-address", nextStep: "Give the key together with the new address.")
            }
            try await stores.engines.save(setting, sealedKey: kept, in: transaction)
            try await AuditTrail(stores: stores).record(
                .engineConfigured, on: engine.rawValue, for: principal, ["changed": change.changedNames], at: now,
                in: transaction)
            return setting
        }
        logger.notice(
            "Configured an engine",
            metadata: [
                "engine": "\(engine.rawValue)", "changed": "\(change.changedNames)", "user.id": "\(principal.user)",
            ])
        return EngineView(engine: engine, setting: setting, workers: workers.count(running: engine))
    }

    /// Asks the engine's models for a word each.
    package func test(_ name: String, for principal: Principal) async throws -> [ModelProbeAnswer] {
        try principal.requireAdmin()
        let engine = try EngineName(named: name)
        guard let probe else { throw ServiceError(.unavailable, "this coordinator cannot ask models") }
        let desk = ModelDesk(stores: stores, sealer: sealer)
        let (setting, endpoint) = try await database.read { transaction in
            guard let setting = try await stores.engines.find(engine, in: transaction) else {
                throw ServiceError(
                    .failedPrecondition, "the engine \(engine.rawValue) is not configured", rule: "engine-configured",
                    nextStep: "Configure it with: pagewright engines set \(engine.rawValue) --large-model ….")
            }
            return (setting, try await desk.endpoint(of: setting, in: transaction))
        }
        var answers: [ModelProbeAnswer] = []
        var models = [setting.largeModel]
        if let small = setting.smallModel, small != setting.largeModel { models.append(small) }
        for model in models {
            let began = ContinuousClock.now
            var problem: String?
            do {
                try await probe.ask(
                    ModelAccess(
                        endpoint: endpoint, model: model, answerTimeout: min(setting.answerTimeout, .seconds(30))))
            } catch let error as ServiceError {
                problem = error.message
            }
            answers.append(
                ModelProbeAnswer(
                    model: model, isAnswering: problem == nil, message: problem ?? "It answers.",
                    duration: .now - began))
        }
        return answers
    }
}
