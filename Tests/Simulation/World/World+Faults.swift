import Domain

/// What goes wrong, and how it ends.
extension World {
    func inflict(_ fault: Scenario.Fault) {
        guard !isCalm else { return }
        trace.note(8, now, Int64(fault.rawValue), words: "\(now) FAULT \(fault)")
        switch fault {
        case .coordinatorCrash: crash(coordinator: random.below(coordinators.count))
        case .workerCrash: crash(host: random.pick(hosts.indices.filter { hosts[$0].isWorker })!, losesPower: false)
        case .servingCrash: crash(host: random.pick(hosts.indices.filter { !hosts[$0].isWorker })!, losesPower: false)
        case .powerLoss: crash(host: random.below(hosts.count), losesPower: true)
        case .partition, .oneWayPartition:
            let until = now + soon(5000...90_000)
            let isBoth = fault == .partition
            let toAgent = random.chance(500)
            let host = random.below(hosts.count)
            for coordinator in coordinators.indices where random.chance(700) {
                if isBoth || toAgent { blockedToAgent[host][coordinator] = until }
                if isBoth || !toAgent { blockedToCoordinator[host][coordinator] = until }
            }
        case .pause:
            let until = now + soon(5000...150_000)
            if random.chance(400) {
                let coordinator = random.below(coordinators.count)
                coordinators[coordinator].pausedUntil = max(coordinators[coordinator].pausedUntil, until)
            } else {
                // A second pause does not end the first one early.
                let host = random.below(hosts.count)
                hosts[host].pausedUntil = max(hosts[host].pausedUntil, until)
            }
        case .clockJump:
            let coordinator = random.below(coordinators.count)
            let jump = random.pick([3_600_000, -3_600_000, 315_360_000_000, -315_360_000_000, 60_000])!
            coordinators[coordinator].clockOffset += Int64(jump)
        case .hintsLost: hints = []
        case .hintsForged:
            for _ in 0..<4 { hint(random.below(nextJob + 3)) }
        case .restore: restore()
        case .databaseOutage:
            isDatabaseAway = true
            after(soon(2000...30_000), .mend(.databaseOutage, party: 0))
        case .sessionBreak:
            let open = connections.indices.filter { connections[$0].isOpenAtAgent }
            if let connection = random.pick(open) {
                hangUp(connection, atAgent: random.chance(500))
            }
        case .probeFailure: break
        case .slowNetwork:
            slowness = 12
            after(soon(5000...40_000), .mend(.slowNetwork, party: 0))
        case .diskFull:
            let host = random.below(hosts.count)
            hosts[host].isDiskFull = true
            after(soon(5000...40_000), .mend(.diskFull, party: host))
        }
    }

    func mend(_ fault: Scenario.Fault, party: Int) {
        switch fault {
        case .databaseOutage: isDatabaseAway = false
        case .slowNetwork: slowness = 1
        case .diskFull: hosts[party].isDiskFull = false
        default: break
        }
    }

    func crash(coordinator: Int) {
        guard coordinators[coordinator].isAlive else { return }
        trace.note(9, now, Int64(coordinator), words: "\(now) coordinator \(coordinator) dies")
        note(.coordinatorDied)
        let sessions = coordinators[coordinator].sessions
        let offset = coordinators[coordinator].clockOffset
        let life = coordinators[coordinator].life
        coordinators[coordinator] = SimulatedCoordinator(
            life: life + 1, clockOffset: offset, sessions: Array(repeating: nil, count: hosts.count))
        for connection in connections.indices
        where connections[connection].coordinator == coordinator && connections[connection].coordinatorLife == life {
            connections[connection].isOpenAtCoordinator = false
        }
        // The kernel says goodbye for a dead process, unless the network is down as well.
        for case let connection? in sessions
        where blockedToAgent[connections[connection].host][coordinator] <= now {
            after(soon(1...50), .closed(connection: connection, atAgent: true))
        }
        after(soon(1000...20_000), .start(coordinator: coordinator))
    }

    func crash(host: Int, losesPower: Bool) {
        guard hosts[host].isAlive else { return }
        trace.note(10, now, Int64(host), losesPower ? 1 : 0, words: "\(now) host \(host) dies, power \(!losesPower)")
        hosts[host].isAlive = false
        hosts[host].life += 1
        hosts[host].attempts = []
        hosts[host].pausedUntil = 0
        if let connection = hosts[host].connection {
            connections[connection].isOpenAtAgent = false
            if !losesPower { after(soon(1...50), .closed(connection: connection, atAgent: false)) }
        }
        hosts[host].connection = nil
        if losesPower { losePower(host) }
        after(soon(1000...15_000), .bootAgent(host: host))
    }

    func boot(_ host: Int) {
        guard !hosts[host].isAlive else { return }
        hosts[host].isAlive = true
        trace.note(11, now, Int64(host), words: "\(now) host \(host) starts")
        load(host)
        plan(reconnectOf: host)
    }

    // MARK: A restored database

    private func restore() {
        guard let backup, !isDatabaseAway else { return }
        for coordinator in coordinators.indices { crash(coordinator: coordinator) }
        tables = backup.tables
        note(.databaseRestored)
        ledger.goBack(to: backup.timeline, jobs: nextJob)
        if mutation != .restoreWithoutFloor { incarnationFile += 1 }
        trace.note(12, now, words: "\(now) the database is restored from its backup")
        after(soon(1000...40_000), .acceptRecovery)
    }

    /// The database is not the one that this installation had: fences go above every one that was given, what was leased
    /// goes back to the queue, and an operator must look before anything is granted or pushed.
    func enterIncarnation(on coordinator: Int) {
        let instant = wall(coordinator)
        let incarnation = incarnationFile
        _ = transact(on: coordinator, "enter incarnation \(incarnation)") { rows -> [JobLease]? in
            var lost: [JobLease] = []
            for number in rows.sites.indices { rows.sites[number]?.site.enter(incarnation: incarnation) }
            for var job in rows.leased {
                lost.append(job.grant!.lease)
                try job.lose(.interrupted, at: instant)
                rows.save(job)
                rows.record(endOf: job)
                if job.isTerminal { _ = try rows.moveUp(job.site, at: instant) }
            }
            rows.incarnation = incarnation
            rows.isRecovering = true
            return lost
        } committed: { lost in
            for site in ledger.holder.indices {
                ledger.holder[site] = nil
                ledger.tries[site] = []
            }
            for lease in lost { ledger.timeline.acceptedLosses[Number.of(lease.job.text)] += 1 }
        }
    }

    func acceptRecovery() {
        // Not entered yet, or not to be reached.
        guard tables.incarnation == incarnationFile, !isDatabaseAway else { return after(5000, .acceptRecovery) }
        tables.isRecovering = false
    }

    // MARK: The end

    func calmDown() {
        isCalm = true
        isDatabaseAway = false
        slowness = 1
        trace.note(13, now, words: "\(now) nothing goes wrong any more")
        for host in hosts.indices {
            hosts[host].isDiskFull = false
            for coordinator in coordinators.indices {
                blockedToAgent[host][coordinator] = 0
                blockedToCoordinator[host][coordinator] = 0
            }
        }
        calmSince = now
        after(5000, .lookAround)
    }

    /// Ends the run when everything has come to rest, and complains when that takes too long.
    func lookAround() {
        let isLate = now - calmSince > Timing.calm
        if let (invariant, detail) = unrest() {
            guard isLate else { return after(5000, .lookAround) }
            return ledger.fail(invariant, detail)
        }
        finish()
    }

    private func unrest() -> (Invariant, String)? {
        for host in hosts.indices where !hosts[host].isRevoked {
            guard hosts[host].isAlive, let connection = hosts[host].connection, connections[connection].isWelcomed,
                coordinators[connections[connection].coordinator].sessions[host] == connection
            else { return (.agentsReturn, "host_\(host) has no session") }
            if !hosts[host].attempts.isEmpty || !hosts[host].spool.isEmpty {
                return (.everyJobEnds, "host_\(host) still has attempts or results")
            }
        }
        for key in 0..<nextKey where answered[key] != true { return (.everyJobEnds, "request \(key) has no answer") }
        for case let job? in tables.jobs where !job.isTerminal {
            return (.everyJobEnds, "\(job.id) is \(job.stateName) in attempt \(job.attempt) with \(job.losses) losses")
        }
        for host in tables.placements.indices where !hosts[host].isWorker && !hosts[host].isRevoked {
            for site in tables.placements[host].indices {
                let current = site < hosts[host].sites.count ? hosts[host].sites[site].durableCurrent : nil
                guard let placement = tables.placements[host][site] else {
                    if current != nil {
                        return (.hostsConverge, "host_\(host) serves site_\(site), which is not placed there")
                    }
                    continue
                }
                guard let desired = tables.desired(placement) else { continue }
                guard let current, current == desired, placement.state == .applied else {
                    return (
                        .hostsConverge,
                        "host_\(host) serves generation \(current?.generation ?? -1) of site_\(site); generation \(placement.generation) is desired and \(placement.state)"
                    )
                }
            }
        }
        return nil
    }
}
