import Domain

/// A coordinator's end of sessions: `AgentSessions` and `AgentSession` of the real one.
extension World {
    func receive(_ message: AgentMessage, on connection: Int, sentAt: Int64) {
        let link = connections[connection]
        let coordinator = link.coordinator
        guard link.isOpenAtCoordinator, coordinators[coordinator].isAlive,
            coordinators[coordinator].life == link.coordinatorLife
        else { return }
        connections[connection].lastHeardAtCoordinator = now
        trace.note(
            3, now, Int64(connection), words: "\(now) coordinator \(coordinator) hears \(message) of host \(link.host)")
        // A frame that cannot be handled ends its session.
        guard !isDatabaseAway else { return hangUp(connection, atAgent: false) }
        // A session that is not the newest is told so: its agent may be alive and has to come back.
        if connections[connection].epoch > 0, !admits(link.host, epoch: link.epoch, in: tables) {
            note(.frameRefused)
            send(.goAway(reason: "superseded", delay: .zero), on: connection)
            return hangUp(connection, atAgent: false)
        }
        switch message {
        case .hello(let hello): open(connection, hello: hello, sentAt: sentAt)
        case .heartbeat(let leases, _, _):
            renew(leases, on: connection, sentAt: sentAt)
        case .credit(let slots):
            connections[connection].slots = slots
            if slots > 0 { unpark(on: coordinator) }
        case .accept(let lease):
            offerAnswered(lease, on: coordinator)
            if !accept(lease, on: connection) { send(.leaseLost(lease), on: connection) }
        case .reject(let lease, _):
            offerAnswered(lease, on: coordinator)
            handBack(lease, on: coordinator, epoch: link.epoch)
        case .progress(let lease, let step, let percent): report(lease, step, percent, on: connection)
        case .complete(let completion): complete(completion, on: connection)
        case .siteStatus(let status): record(status, on: connection)
        case .log, .step, .condition, .upgradeReport: break
        }
    }

    private func open(_ connection: Int, hello: AgentMessage.Hello, sentAt: Int64) {
        let link = connections[connection]
        let coordinator = link.coordinator
        let instant = wall(coordinator)
        let epoch = transact(on: coordinator, "open session") { rows -> Int64? in
            guard rows.hosts[link.host].state != .revoked else { return nil }
            rows.hosts[link.host].openSession(agentVersion: hello.agentVersion, at: instant)
            return rows.hosts[link.host].sessionEpoch
        }
        guard let epoch else {
            if coordinators[coordinator].isAlive { hangUp(connection, atAgent: false) }
            return
        }
        ledger.epochs[link.host] = max(ledger.epochs[link.host], epoch)
        note(.sessionOpened)
        connections[connection].epoch = epoch
        if let older = coordinators[coordinator].sessions[link.host], older != connection {
            note(.sessionSuperseded)
            send(.goAway(reason: "newer", delay: .zero), on: older)
            hangUp(older, atAgent: false)
        }
        coordinators[coordinator].sessions[link.host] = connection
        send(
            .welcome(
                CoordinatorMessage.Welcome(
                    sessionEpoch: epoch, heartbeatInterval: .milliseconds(Timing.heartbeat),
                    leaseDuration: .milliseconds(Timing.lease), coordinatorVersion: "1", versionKeys: [])),
            on: connection)
        guard let renewed = renew(hello.leases, on: connection, sentAt: sentAt) else { return }
        for job in tables.leased where job.grant?.host == Number.host(link.host) {
            guard let lease = job.grant?.lease, !renewed.contains(lease) else { continue }
            lose(lease, because: "worker-restarted", on: coordinator)
            guard coordinators[coordinator].isAlive else { return }
        }
        guard hello.roles.contains(.serving) else { return }
        compare(hello.inventory, of: link.host, on: coordinator)
        guard coordinators[coordinator].isAlive else { return }
        pushSnapshot(on: connection)
    }

    /// Moves the ends of leases; returns those that are still held.
    @discardableResult
    private func renew(_ leases: [JobLease], on connection: Int, sentAt: Int64) -> [JobLease]? {
        let link = connections[connection]
        let coordinator = link.coordinator
        guard !leases.isEmpty else {
            send(.renewed([]), on: connection)
            return []
        }
        let expiresAt = wall(coordinator) + .milliseconds(Timing.lease)
        let answer = transact(on: coordinator, "renew") { rows -> [JobLease]? in
            guard admits(link.host, epoch: link.epoch, in: rows) else { return nil }
            var renewed: [JobLease] = []
            for lease in leases {
                guard var job = rows.job(lease.job), (try? job.renew(lease, until: expiresAt)) != nil else { continue }
                rows.save(job)
                renewed.append(lease)
            }
            return renewed
        }
        guard let renewed = answer else {
            if coordinators[coordinator].isAlive { hangUp(connection, atAgent: false) }
            return nil
        }
        if !renewed.isEmpty { noteEffect(of: link) }
        // What the simulation itself knows of each lease's last renewal, by the agent's clock.
        for index in hosts[link.host].attempts.indices {
            let lease = hosts[link.host].attempts[index].offer.lease
            if renewed.contains(lease) {
                hosts[link.host].attempts[index].renewedAt = max(hosts[link.host].attempts[index].renewedAt, sentAt)
            }
        }
        send(.renewed(renewed), on: connection)
        for lease in leases where !renewed.contains(lease) { send(.leaseLost(lease), on: connection) }
        return renewed
    }

    /// Whether a frame of that session may have an effect: asked within the transaction of the effect.
    func admits(_ host: Int, epoch: Int64, in rows: Tables) -> Bool {
        switch mutation {
        case .noEpochCheck: rows.hosts[host].state != .revoked
        case .revokedStillWrites: rows.hosts[host].sessionEpoch == epoch
        default: rows.hosts[host].admits(frameOf: epoch)
        }
    }

    /// A frame of a session had an effect.
    func noteEffect(of link: Connection) {
        if link.epoch < ledger.epochs[link.host] {
            ledger.fail(
                .oldSessionsAreMute,
                "a frame of session \(link.epoch) of host_\(link.host) had an effect after \(ledger.epochs[link.host])")
        }
        if hosts[link.host].isRevoked {
            ledger.fail(.revokedIsMute, "a frame of host_\(link.host) had an effect after it was revoked")
        }
    }
}
