package import Database
package import Domain
package import FleetIdentity
package import Logging
package import Persistence

/// What admins do with hosts.
package struct HostService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let authority: CertificateAuthority
    private let sessions: SessionRegistry
    private let calls: OpenCalls
    private let workers: WorkerPool
    private let ledger: JobLedger
    private let feed: EventFeed
    private let settings: CoordinatorSettings
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, authority: CertificateAuthority, sessions: SessionRegistry,
        calls: OpenCalls, workers: WorkerPool, ledger: JobLedger, feed: EventFeed, settings: CoordinatorSettings,
        clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.authority = authority
        self.sessions = sessions
        self.calls = calls
        self.workers = workers
        self.ledger = ledger
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    package func list(for principal: Principal) async throws -> [HostView] {
        try principal.requireAdmin()
        return try await database.read { transaction in
            var views: [HostView] = []
            for host in try await stores.hosts.list(in: transaction) {
                views.append(try await view(host, in: transaction))
            }
            return views
        }
    }

    package func find(_ id: HostID, for principal: Principal) async throws -> HostView {
        try principal.requireAdmin()
        return try await database.read { transaction in
            try await view(try await host(id, in: transaction), in: transaction)
        }
    }

    /// The sites that the host shall serve, and how far it is, the first `limit` of them.
    package func sites(
        on id: HostID, limit: Int = 100, for principal: Principal
    ) async throws -> (sites: [HostedSite], total: Int) {
        try principal.requireAdmin()
        return try await database.read { transaction in
            _ = try await host(id, in: transaction)
            let placements = try await stores.placements.first(limit, on: id, in: transaction)
            let known = try await stores.sites.find(placements.map(\.site), in: transaction)
            return (
                placements.compactMap { placement in
                    known[placement.site].map { HostedSite(site: $0, placement: placement) }
                }, try await stores.placements.count(on: id, in: transaction)
            )
        }
    }

    /// Makes a token with which one machine can join. `roles` are words of ``HostRole``.
    package func invite(roles: [String], for principal: Principal) async throws -> Invitation {
        try principal.requireAdmin()
        return try await invite(
            roles: roles, createdBy: principal.user.text, actor: .user(principal.user), requestID: principal.requestID)
    }

    /// The same for an operator on the coordinator's own machine.
    package func invite(
        roles: [String], createdBy: String, actor: AuditActor = .operatorHere, requestID: String = ""
    ) async throws -> Invitation {
        let set = Set(
            try roles.map { word in
                guard let role = HostRole(rawValue: word) else {
                    throw ServiceError(
                        .invalidArgument, "there is no role \"\(word.prefix(40))\"", field: "roles", rule: "role-known",
                        nextStep: "Use worker, serving or both.")
                }
                return role
            })
        guard !set.isEmpty else {
            throw ServiceError(.invalidArgument, "a host needs a role", field: "roles", rule: "role-known")
        }
        let now = clock.now()
        let token = JoinToken(pin: authority.pin)
        let expiresAt = now + settings.invitationLifetime
        try await database.withTransaction { transaction in
            try await stores.hosts.insertInvitation(
                secretHash: token.secret.digest, roles: set, createdBy: createdBy, at: now, expiresAt: expiresAt,
                in: transaction)
            // The first digits of the hash name the invitation, and open nothing.
            try await AuditTrail(stores: stores).record(
                .hostInvited, on: String(token.secret.digest.prefix(12)), by: actor,
                ["roles": set.map(\.rawValue).sorted().joined(separator: ",")], requestID: requestID, at: now,
                in: transaction)
        }
        logger.notice("Invited a host", metadata: ["roles": "\(set.map(\.rawValue).sorted())", "by": "\(createdBy)"])
        return Invitation(
            token: token.text, expiresAt: expiresAt, roles: set,
            command: "pagewright-agent join --coordinator \(settings.agentsAddress) --token \(token.text)")
    }

    /// Gives the host no more work; what it serves it goes on serving.
    package func drain(
        _ id: HostID, for principal: Principal, once: Once<HostView> = .unkeyed
    ) async throws -> HostView {
        try await setState(.draining, of: id, for: principal, once: once)
    }

    package func resume(
        _ id: HostID, for principal: Principal, once: Once<HostView> = .unkeyed
    ) async throws -> HostView {
        try await setState(.active, of: id, for: principal, once: once)
    }

    /// Makes the host's certificate worthless, cuts its session and takes its jobs back.
    package func revoke(
        _ id: HostID, for principal: Principal, once: Once<HostView> = .unkeyed
    ) async throws -> HostView {
        let view = try await setState(.revoked, of: id, for: principal, once: once)
        sessions.close(id, reason: "the host was revoked")
        calls.end(id)
        let jobs = try await database.read { try await stores.jobs.leased(to: id, in: $0) }
        for job in jobs {
            guard let lease = job.grant?.lease else { continue }
            try await ledger.lose(
                job.id, lease: lease,
                because: JobFailure(
                    kind: .infrastructure, code: "host-revoked", message: "The worker host was taken out of service."))
        }
        return view
    }

    /// Says what kind of host it is; sites find their hosts by it. `labels` is `key=value,key=value`, and replaces what
    /// was said before.
    package func label(
        _ id: HostID, _ labels: String, for principal: Principal, once: Once<HostView> = .unkeyed
    ) async throws -> HostView {
        try principal.requireAdmin()
        let labels = try HostLabels(labels)
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            var host = try await host(id, in: transaction)
            if host.labels != labels {
                try await AuditTrail(stores: stores).record(
                    .hostLabelled, on: id.text, for: principal,
                    ["name": host.name, "labels": labels.description], at: now, in: transaction)
            }
            host.labels = labels
            try await stores.hosts.save(host, in: transaction)
            return try await self.view(host, in: transaction)
        }
        logger.notice("Labelled host", metadata: ["host.id": "\(id)", "labels": "\(labels)"])
        return view
    }

    private func setState(
        _ state: Host.State, of id: HostID, for principal: Principal, once: Once<HostView>
    ) async throws -> HostView {
        try principal.requireAdmin()
        let now = clock.now()
        let view = try await database.withTransaction(once) { transaction in
            var host = try await host(id, in: transaction)
            guard host.state != .revoked || state == .revoked else {
                throw ServiceError(
                    .conflict, "\(host.name) was revoked", rule: "host-revoked",
                    nextStep: "Invite it again with: pagewright host invite.")
            }
            guard host.state != .quarantined || state != .draining else {
                throw ServiceError(
                    .conflict, "\(host.name) is quarantined: two machines use its certificate",
                    rule: "host-quarantined", nextStep: "Revoke it, or resume it if both were one machine.")
            }
            if host.state == .quarantined { host.credentialUse = CredentialUse() }
            if host.state != state {
                try await AuditTrail(stores: stores).record(
                    Self.action(for: state), on: id.text, for: principal, ["name": host.name], at: now, in: transaction)
            }
            host.state = state
            try await stores.hosts.save(host, in: transaction)
            try await feed.append(
                .hostChanged, owner: nil, site: nil,
                body: [
                    "host_id": EventValue(id), "state": .text(state.rawValue),
                    "connected": .boolean(sessions.isConnectedAnywhere(id)),
                ], at: now, in: transaction)
            return try await self.view(host, in: transaction)
        }
        workers.setDraining(state != .active, of: id)
        sessions.announce(id)
        feed.announce()
        logger.notice("Changed state of host", metadata: ["host.id": "\(id)", "state": "\(state.rawValue)"])
        return view
    }

    private static func action(for state: Host.State) -> AuditAction {
        switch state {
        case .active: .hostResumed
        case .draining: .hostDrained
        case .revoked: .hostRevoked
        case .quarantined: .hostQuarantined
        }
    }

    private func host(_ id: HostID, in transaction: any SQLTransaction) async throws -> Host {
        guard let host = try await stores.hosts.find(id, in: transaction) else {
            throw ServiceError(.notFound, "there is no host \(id)", field: "host")
        }
        return host
    }

    private func view(_ host: Host, in transaction: any SQLTransaction) async throws -> HostView {
        let disk = sessions.disk(of: host.id)
        return HostView(
            host: host, isConnected: sessions.isConnectedAnywhere(host.id), diskFreeBytes: disk?.free,
            diskTotalBytes: disk?.total,
            credit: sessions.isConnected(host.id)
                ? workers.slots(of: host.id) : sessions.elsewhere(host.id)?.slots ?? 0,
            jobs: try await stores.jobs.leased(to: host.id, in: transaction).map(\.id))
    }
}
