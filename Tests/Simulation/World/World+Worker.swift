import Domain

/// Worker hosts: the session's participants `WorkerRole` and `CompletionSpool`, with the deadline of each attempt.
extension World {
    private func index(of lease: JobLease, on host: Int) -> Int? {
        hosts[host].attempts.firstIndex { $0.offer.lease == lease }
    }

    private func isAlive(host: Int, _ life: Int) -> Bool { hosts[host].isAlive && hosts[host].life == life }

    func sendCredit(_ host: Int) {
        guard hosts[host].isWorker else { return }
        say(.credit(slots: max(0, Self.slots - hosts[host].attempts.count)), from: host)
    }

    static var slots: Int { 2 }

    func sessionClosed(on host: Int) {
        for index in hosts[host].attempts.indices { hosts[host].attempts[index].clock.sessionEnded() }
    }

    func leasesForHeartbeat(of host: Int) -> [JobLease] {
        let instant = Moment(milliseconds: hosts[host].clock(now))
        var leases: [JobLease] = []
        for index in hosts[host].attempts.indices {
            hosts[host].attempts[index].clock.heartbeatSent(at: instant)
            leases.append(hosts[host].attempts[index].offer.lease)
        }
        for completion in hosts[host].spool where !leases.contains(completion.lease) { leases.append(completion.lease) }
        return leases
    }

    func workerReceives(_ message: CoordinatorMessage, on host: Int) {
        switch message {
        case .offer(let offer): take(offer, on: host)
        case .cancel(let lease): stop(lease, on: host, .cancelled)
        case .leaseLost(let lease): stop(lease, on: host, .leaseLost)
        case .renewed(let leases):
            let instant = Moment(milliseconds: hosts[host].clock(now))
            for lease in leases {
                guard let index = index(of: lease, on: host) else { continue }
                if mutation == .leaseCountsFromAnswer { hosts[host].attempts[index].clock.sessionEnded() }
                if mutation == .leaseCountsFromAnswer { hosts[host].attempts[index].clock.heartbeatSent(at: instant) }
                hosts[host].attempts[index].clock.renewed()
            }
        case .verdict(let lease, _): hosts[host].spool.removeAll { $0.lease == lease }
        case .welcome, .desired, .goAway, .upgrade, .renewCertificate: break
        }
    }

    private func take(_ offer: JobOffer, on host: Int) {
        guard index(of: offer.lease, on: host) == nil else { return }
        let isHere = hosts[host].attempts.contains { $0.offer.lease.job == offer.lease.job }
        guard hosts[host].attempts.count < Self.slots, !isHere else {
            say(.reject(offer.lease, reason: "full"), from: host)
            return sendCredit(host)
        }
        let instant = hosts[host].clock(now)
        let content = digests.count
        digests.append(Number.digest(content))
        blobs.append(nil)
        hosts[host].attempts.append(
            Attempt(
                offer: offer, content: content,
                clock: LeaseClock(leaseDuration: offer.leaseDuration, offeredAt: Moment(milliseconds: instant)),
                renewedAt: instant))
        say(.accept(offer.lease), from: host)
        sendCredit(host)
        after(soon(50...1500), .attempt(host: host, life: hosts[host].life, lease: offer.lease, stage: .fetch))
        planDeadline(offer.lease, on: host)
    }

    private func planDeadline(_ lease: JobLease, on host: Int) {
        guard let index = index(of: lease, on: host) else { return }
        let left = hosts[host].attempts[index].clock.deadline.milliseconds - hosts[host].clock(now)
        after(max(1, left), .deadline(host: host, life: hosts[host].life, lease: lease))
    }

    func checkDeadline(of lease: JobLease, on host: Int, life: Int) {
        guard isAlive(host: host, life), let index = index(of: lease, on: host),
            hosts[host].attempts[index].stop == nil
        else { return }
        if hosts[host].clock(now) >= hosts[host].attempts[index].clock.deadline.milliseconds {
            checkTime(of: hosts[host].attempts[index], on: host)
            note(.taskOutlivedLease)
            stop(lease, on: host, .leaseExpired)
        } else {
            planDeadline(lease, on: host)
        }
    }

    private func stop(_ lease: JobLease, on host: Int, _ reason: AttemptStop) {
        guard let index = index(of: lease, on: host) else { return }
        let isFirst = hosts[host].attempts[index].stop == nil
        hosts[host].attempts[index].stop = reason.joining(hosts[host].attempts[index].stop)
        guard isFirst else { return }
        after(soon(0...Int(Timing.kill)), .attemptEnded(host: host, life: hosts[host].life, lease: lease))
    }

    /// The task runs at this very instant. Nothing runs on a host that stands still, so what it does first when it goes
    /// on is not held against it.
    private func checkTime(of attempt: Attempt, on host: Int) {
        let late = hosts[host].clock(now) - attempt.renewedAt - Timing.lease * 3 / 4
        if late > Timing.kill, hosts[host].pausedUntil + Timing.kill < now {
            ledger.fail(.tasksEnd, "a task of \(attempt.offer.lease.job) ran \(late) ms past its lease")
        }
    }

    /// One step of the work, unless it was stopped.
    func proceed(_ lease: JobLease, on host: Int, life: Int, stage: AttemptStage) {
        guard isAlive(host: host, life), let index = index(of: lease, on: host),
            hosts[host].attempts[index].stop == nil
        else { return }
        let attempt = hosts[host].attempts[index]
        checkTime(of: attempt, on: host)
        let isConnected = hosts[host].connection.map { connections[$0].isWelcomed } ?? false
        func next(_ stage: AttemptStage, in range: ClosedRange<Int>) {
            after(soon(range), .attempt(host: host, life: life, lease: lease, stage: stage))
        }
        switch stage {
        case .fetch:
            isConnected ? next(.run, in: 100...3000) : next(.fetch, in: 250...4000)
        case .run:
            say(.progress(lease, step: "Editing", percent: random.below(90)), from: host)
            // A long task is seen at work now and then.
            random.chance(450) ? next(.run, in: 2000...20_000) : next(.collect, in: 100...3000)
        case .collect:
            let chance = random.below(100)
            let failure = JobFailure(kind: chance < 12 ? .task : .infrastructure, code: "x", message: "x")
            if chance < 15 {
                hosts[host].attempts[index].result = .failed(failure)
                after(1, .attemptEnded(host: host, life: life, lease: lease))
            } else {
                next(.upload, in: 10...500)
            }
        case .upload:
            guard isConnected, !isDatabaseAway else { return next(.upload, in: 250...4000) }
            if mutation != .promotesUnseen || random.chance(500) { blobs[attempt.content] = now }
            next(.spool, in: 5...200)
        case .spool:
            hosts[host].attempts[index].result = .succeeded(
                changes: ManifestDelta(upserts: [], removals: []), digest: digests[attempt.content])
            after(1, .attemptEnded(host: host, life: life, lease: lease))
        }
    }

    func endAttempt(_ lease: JobLease, on host: Int, life: Int) {
        guard isAlive(host: host, life), let index = index(of: lease, on: host) else { return }
        let attempt = hosts[host].attempts.remove(at: index)
        defer { sendCredit(host) }
        guard
            let outcome = AttemptStop.outcome(
                of: attempt.result ?? .failed(.interrupted), stoppedBy: attempt.stop)
        else { return }
        let completion = JobCompletion(lease: lease, outcome: outcome, summary: "", usage: .zero)
        guard !hosts[host].isDiskFull else { return }
        hosts[host].spool.append(completion)
        say(.complete(completion), from: host)
    }

    /// What the coordinator has not answered for is said again.
    func resend(_ connection: Int) {
        let link = connections[connection]
        guard link.isOpenAtAgent, hosts[link.host].isAlive, hosts[link.host].life == link.agentLife else { return }
        for completion in hosts[link.host].spool { send(.complete(completion), on: connection) }
        after(Timing.resend, .resend(connection: connection))
    }
}
