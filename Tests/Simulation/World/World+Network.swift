import Domain

/// Frames between agents and coordinators: late, lost, doubled, in another order, and never believed to have arrived.
extension World {
    private func latency() -> Int64 { slowness * soon(1...(random.chance(100) ? 4000 : 60)) }

    func send(_ message: AgentMessage, on connection: Int) {
        let link = connections[connection]
        guard link.isOpenAtAgent else { return }
        var isOrdered = scenario.isStream
        if case .hello = message { isOrdered = true }
        if case .heartbeat = message { isOrdered = true }
        let until = blockedToCoordinator[link.host][link.coordinator]
        var time = max(now, until > now ? until : 0) + latency()
        if isOrdered {
            time = max(time, link.toCoordinatorUntil)
            connections[connection].toCoordinatorUntil = time
            at(time, .toCoordinator(connection: connection, message, sentAt: hosts[link.host].clock(now)))
        } else {
            for _ in 0..<copies() {
                at(time, .toCoordinator(connection: connection, message, sentAt: hosts[link.host].clock(now)))
                time += latency()
            }
        }
    }

    func send(_ message: CoordinatorMessage, on connection: Int) {
        let link = connections[connection]
        guard link.isOpenAtCoordinator else { return }
        // The count of renewals is one of answers in their order; the rest bears anything.
        var isOrdered = scenario.isStream
        switch message {
        case .welcome, .renewed: isOrdered = true
        default: break
        }
        let until = blockedToAgent[link.host][link.coordinator]
        var time = max(now, until > now ? until : 0) + latency()
        if isOrdered {
            time = max(time, link.toAgentUntil)
            connections[connection].toAgentUntil = time
            at(time, .toAgent(connection: connection, message))
        } else {
            for _ in 0..<copies() {
                at(time, .toAgent(connection: connection, message))
                time += latency()
            }
        }
    }

    private func copies() -> Int {
        guard !isCalm else { return 1 }
        let chance = random.below(100)
        return chance < 6 ? 0 : chance < 14 ? 2 : 1
    }

    /// Ends a session at one end; the other end hears of it, or does not.
    func hangUp(_ connection: Int, atAgent: Bool) {
        let link = connections[connection]
        close(connection, atAgent: atAgent)
        let blocked =
            atAgent ? blockedToCoordinator[link.host][link.coordinator] : blockedToAgent[link.host][link.coordinator]
        if blocked <= now { after(latency(), .closed(connection: connection, atAgent: !atAgent)) }
    }

    func close(_ connection: Int, atAgent: Bool) {
        let link = connections[connection]
        if atAgent {
            guard link.isOpenAtAgent else { return }
            connections[connection].isOpenAtAgent = false
            if hosts[link.host].connection == connection, hosts[link.host].life == link.agentLife {
                hosts[link.host].connection = nil
                sessionClosed(on: link.host)
                plan(reconnectOf: link.host)
            }
        } else {
            guard link.isOpenAtCoordinator else { return }
            connections[connection].isOpenAtCoordinator = false
            if coordinators[link.coordinator].sessions[link.host] == connection {
                coordinators[link.coordinator].sessions[link.host] = nil
            }
        }
    }

    func plan(reconnectOf host: Int) {
        hosts[host].failures += 1
        let bound = min(500 << min(hosts[host].failures, 5), 8000)
        after(soon(100...bound), .connect(host: host, life: hosts[host].life))
    }

    func connect(_ host: Int, life: Int) {
        guard hosts[host].isAlive, hosts[host].life == life, hosts[host].connection == nil, !hosts[host].isRevoked
        else { return }
        let coordinator = random.below(coordinators.count)
        guard coordinators[coordinator].isAlive, blockedToCoordinator[host][coordinator] <= now,
            blockedToAgent[host][coordinator] <= now
        else { return plan(reconnectOf: host) }
        let number = connections.count
        var link = Connection(
            host: host, coordinator: coordinator, coordinatorLife: coordinators[coordinator].life, agentLife: life,
            lastHeardAtAgent: now, lastHeardAtCoordinator: now)
        link.sent = Array(repeating: 0, count: tables.sites.count)
        connections.append(link)
        hosts[host].connection = number
        after(30_000, .silence(connection: number, atAgent: true))
        after(30_000, .silence(connection: number, atAgent: false))
        send(.hello(hello(of: host)), on: number)
    }

    /// Three heartbeats without a word end a session.
    func checkSilence(_ connection: Int, atAgent: Bool) {
        let link = connections[connection]
        guard atAgent ? link.isOpenAtAgent : link.isOpenAtCoordinator else { return }
        let heard = atAgent ? link.lastHeardAtAgent : link.lastHeardAtCoordinator
        if heard + 3 * Timing.heartbeat <= now {
            hangUp(connection, atAgent: atAgent)
        } else {
            at(heard + 3 * Timing.heartbeat, .silence(connection: connection, atAgent: atAgent))
        }
    }

    private func hello(of host: Int) -> AgentMessage.Hello {
        let machine = hosts[host]
        var leases = machine.attempts.map(\.offer.lease)
        for completion in machine.spool where !leases.contains(completion.lease) { leases.append(completion.lease) }
        return AgentMessage.Hello(
            agentVersion: "1", roles: machine.isWorker ? [.worker] : [.serving], bootID: "", leases: leases,
            inventory: inventory(of: host), engines: [])
    }

    // MARK: An agent's end

    func agentReceives(_ message: CoordinatorMessage, on connection: Int) {
        let link = connections[connection]
        guard link.isOpenAtAgent, hosts[link.host].isAlive, hosts[link.host].life == link.agentLife else { return }
        connections[connection].lastHeardAtAgent = now
        trace.note(2, now, Int64(connection), words: "\(now) host \(link.host) hears \(message)")
        if case .welcome = message {
            connections[connection].isWelcomed = true
            hosts[link.host].failures = 0
            after(soon(8000...12_000), .heartbeat(connection: connection))
            if hosts[link.host].isWorker {
                resend(connection)
                sendCredit(link.host)
            } else {
                for site in hosts[link.host].sites.indices { begin(site, on: link.host) }
            }
            return
        }
        guard connections[connection].isWelcomed else { return }
        switch message {
        case .goAway: hangUp(connection, atAgent: true)
        case .desired(let values, let part): want(values, isComplete: part == .whole, on: link.host)
        default: workerReceives(message, on: link.host)
        }
    }

    func beat(_ connection: Int) {
        let link = connections[connection]
        guard link.isOpenAtAgent, hosts[link.host].isAlive, hosts[link.host].life == link.agentLife else { return }
        let leases = hosts[link.host].isWorker ? leasesForHeartbeat(of: link.host) : []
        send(.heartbeat(leases: leases, diskFreeBytes: 0, diskTotalBytes: 0), on: connection)
        sendCredit(link.host)
        // The mutant's file is written when there is time for it.
        for site in hosts[link.host].sites.indices {
            hosts[link.host].sites[site].generationFile = hosts[link.host].sites[site].replica.generation
        }
        after(soon(8000...12_000), .heartbeat(connection: connection))
    }

    /// Says something on a host's session, if it has one.
    func say(_ message: AgentMessage, from host: Int) {
        guard let connection = hosts[host].connection, connections[connection].isWelcomed else { return }
        send(message, on: connection)
    }
}
