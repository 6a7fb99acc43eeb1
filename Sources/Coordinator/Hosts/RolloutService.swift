package import Database
package import Domain
package import Logging
package import Persistence
import ServiceLifecycle

/// Brings a new version of the agent to the hosts, a few at a time.
package struct RolloutService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let registry: SessionRegistry
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, registry: SessionRegistry, feed: EventFeed, clock: any WallClock,
        logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.registry = registry
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    /// Plans a roll-out to `hosts`, or to all members of the fleet, at once or at `startsAt`. One at a time.
    package func plan(
        to version: String, hosts: [HostID]?, startsAt: Timestamp?, for principal: Principal,
        once: Once<Rollout> = .unkeyed
    ) async throws -> Rollout {
        try principal.requireAdmin()
        let target = try ProgramVersionText(version)
        let now = clock.now()
        let rollout = try await database.withTransaction(once) { transaction in
            if let open = try await stores.rollouts.open(in: transaction).first {
                throw ServiceError(
                    .conflict, "a roll-out to \(open.target) is under way", rule: "rollout-open",
                    nextStep: "Wait until it is over, or end it: pagewright hosts rollouts cancel \(open.id).")
            }
            let members = try await stores.hosts.list(in: transaction).filter { !$0.state.isShutOut }
            for id in hosts ?? [] where !members.contains(where: { $0.id == id }) {
                throw ServiceError(.notFound, "there is no host \(id)", field: "hosts")
            }
            let chosen = members.map(\.id).filter { hosts?.contains($0) ?? true }
            let rollout = try Rollout(
                id: RolloutID(at: now), target: target, hosts: chosen, startsAt: startsAt ?? now,
                createdBy: principal.user.text, at: now)
            try await stores.rollouts.insert(rollout, in: transaction)
            try await AuditTrail(stores: stores).record(
                .rolloutPlanned, on: rollout.id.text, for: principal,
                ["version": target.text, "hosts": String(chosen.count)], at: now, in: transaction)
            try await append(rollout, at: now, in: transaction)
            return rollout
        }
        feed.announce()
        logger.notice(
            "Planned a roll-out", metadata: ["rollout.id": "\(rollout.id)", "version": "\(target)"])
        return rollout
    }

    /// Newest first.
    package func list(for principal: Principal) async throws -> [Rollout] {
        try principal.requireAdmin()
        return try await database.read { try await stores.rollouts.list(in: $0) }
    }

    package func find(_ id: RolloutID, for principal: Principal) async throws -> Rollout {
        try principal.requireAdmin()
        return try await database.read { try await rollout(id, in: $0) }
    }

    /// Begins no other host. Those that were begun keep their new version, or go back by themselves when it fails.
    package func cancel(
        _ id: RolloutID, for principal: Principal, once: Once<Rollout> = .unkeyed
    ) async throws -> Rollout {
        try principal.requireAdmin()
        let now = clock.now()
        let rollout = try await database.withTransaction(once) { transaction in
            var rollout = try await self.rollout(id, in: transaction)
            try await carryOut(try rollout.cancel(at: now), in: transaction)
            try await stores.rollouts.save(rollout, in: transaction)
            try await AuditTrail(stores: stores).record(
                .rolloutCancelled, on: id.text, for: principal, ["version": rollout.target.text], at: now,
                in: transaction)
            try await append(rollout, at: now, in: transaction)
            return rollout
        }
        feed.announce()
        return rollout
    }

    private func rollout(_ id: RolloutID, in transaction: any SQLTransaction) async throws -> Rollout {
        guard let rollout = try await stores.rollouts.find(id, in: transaction) else {
            throw ServiceError(.notFound, "there is no roll-out \(id)", field: "rollout")
        }
        return rollout
    }

    /// Goes on with what is open, as far as hosts allow. Safe to repeat. Returns whether anything was open.
    @discardableResult
    package func advance(
        confirming confirm: @Sendable (any SQLTransaction) async throws -> Void = { _ in }
    ) async throws -> Bool {
        let open = try await database.read { try await stores.rollouts.open(in: $0) }
        guard !open.isEmpty else { return false }
        let now = clock.now()
        // One that waits for its time is nothing to look at hosts for.
        guard open.contains(where: { $0.state != .scheduled || now >= $0.startsAt }) else { return true }
        let changed = try await database.withTransaction { transaction in
            try await confirm(transaction)
            var changed: [Rollout] = []
            for var rollout in try await stores.rollouts.open(in: transaction) {
                let before = rollout
                let sights = try await sights(for: rollout, at: now, in: transaction)
                let effects = rollout.step(seeing: sights, at: now)
                guard rollout != before else { continue }
                try await carryOut(effects, in: transaction)
                try await stores.rollouts.save(rollout, in: transaction)
                if rollout.state.isOver {
                    try await AuditTrail(stores: stores).record(
                        .rolloutFinished, on: rollout.id.text, by: .system,
                        [
                            "version": rollout.target.text, "state": rollout.state.rawValue,
                            "reason": rollout.reason ?? "",
                        ], at: now, in: transaction)
                }
                try await append(rollout, at: now, in: transaction)
                changed.append(rollout)
            }
            return changed
        }
        for rollout in changed {
            logger.notice(
                "A roll-out went on",
                metadata: [
                    "rollout.id": "\(rollout.id)", "version": "\(rollout.target)",
                    "state": "\(rollout.state.rawValue)", "reason": "\(rollout.reason ?? "")",
                ])
        }
        if !changed.isEmpty { feed.announce() }
        return true
    }

    private func carryOut(_ effects: [Rollout.Effect], in transaction: any SQLTransaction) async throws {
        for effect in effects {
            switch effect {
            case .order(let id, let order):
                guard var host = try await stores.hosts.find(id, in: transaction) else { continue }
                host.upgradeOrder = order
                try await stores.hosts.save(host, in: transaction)
            case .release(let id):
                guard var host = try await stores.hosts.find(id, in: transaction) else { continue }
                host.upgradeOrder = nil
                try await stores.hosts.save(host, in: transaction)
            }
        }
    }

    private func sights(
        for rollout: Rollout, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [HostID: Rollout.Sight] {
        let words = try await stores.hostWords.all(in: transaction)
        let unsettled = try await stores.placements.unsettled(in: transaction)
        var sights: [HostID: Rollout.Sight] = [:]
        for member in rollout.members where ![.healthy, .reverted, .failed, .skipped].contains(member.state) {
            guard let host = try await stores.hosts.find(member.host, in: transaction) else { continue }
            let word = words[host.id]
            let isBad = word.map { $0.epoch == host.sessionEpoch && $0.condition.level == .bad } ?? false
            // Another coordinator may have its session; then it was heard of a moment ago.
            let isNear = host.lastSeenAt.map { now - $0 < PlacementFleet.absence } ?? false
            let tasks = try await stores.jobs.leased(to: host.id, in: transaction).map(\.id)
            var lost = 0
            for task in member.tasks where !tasks.contains(task) {
                guard let record = try await stores.jobs.find(task, in: transaction) else { continue }
                if !record.job.isTerminal { lost += 1 }
            }
            sights[host.id] = Rollout.Sight(
                isMember: !host.state.isShutOut, isConnected: registry.isConnected(host.id) || isNear,
                version: host.agentVersion, epoch: host.sessionEpoch,
                isReconciled: unsettled[host.id, default: 0] == 0, tasks: tasks, lostTasks: lost,
                complaint: isBad ? word?.condition.problem : nil, report: word?.report)
        }
        return sights
    }

    private func append(_ rollout: Rollout, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        let done = rollout.members.count(where: { $0.state == .healthy })
        try await feed.append(
            .rolloutChanged, owner: nil, site: nil,
            body: [
                "rollout_id": EventValue(rollout.id), "version": .text(rollout.target.text),
                "state": .text(rollout.state.rawValue), "reason": EventValue(rollout.reason),
                "healthy": EventValue(done), "hosts": EventValue(rollout.members.count),
            ], at: now, in: transaction)
    }
}

/// Looks every second whether a roll-out can go on; on the steward only.
package struct RolloutDriver: Service {
    private static let interval = Duration.seconds(1)

    private let rollouts: RolloutService
    private let stewardship: Stewardship
    private let logger: Logger

    package init(rollouts: RolloutService, stewardship: Stewardship, logger: Logger) {
        self.rollouts = rollouts
        self.stewardship = stewardship
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                do {
                    guard let term = try await stewardship.hold() else { continue }
                    try await rollouts.advance { try await stewardship.confirm(term, in: $0) }
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not go on with a roll-out", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
