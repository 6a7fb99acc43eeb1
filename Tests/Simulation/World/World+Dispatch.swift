import Domain

/// How jobs come to workers: the dispatcher and the ledger of the real coordinator.
extension World {
    func isAlive(_ coordinator: Int, _ life: Int) -> Bool {
        coordinators[coordinator].isAlive && coordinators[coordinator].life == life
    }

    func start(_ coordinator: Int) {
        guard !coordinators[coordinator].isAlive else { return }
        // Without its database a coordinator does not start.
        guard !isDatabaseAway else { return after(1000, .start(coordinator: coordinator)) }
        coordinators[coordinator].isAlive = true
        coordinators[coordinator].startedAt = now
        let life = coordinators[coordinator].life
        trace.note(4, now, Int64(coordinator), words: "\(now) coordinator \(coordinator) starts")
        if tables.incarnation != incarnationFile { enterIncarnation(on: coordinator) }
        guard isAlive(coordinator, life) else { return }
        after(100, .reconcile(coordinator: coordinator, life: life))
        after(soon(100...5000), .reap(coordinator: coordinator, life: life))
    }

    /// A hint: some coordinator may look at the job. Any of it may be lost.
    func hint(_ job: Int) {
        if !hints.contains(job) { hints.append(job) }
        let coordinator = random.below(coordinators.count)
        after(soon(1...20), .dispatch(coordinator: coordinator, life: coordinators[coordinator].life))
    }

    func dispatch(_ coordinator: Int, life: Int) {
        guard isAlive(coordinator, life), !hints.isEmpty, !isDatabaseAway else { return }
        let number = hints.removeFirst()
        guard let job = tables.job(number), job.stateName == .ready || mutation == .hintGrants else { return }
        guard !tables.isRecovering else { return }
        var best: (host: Int, connection: Int, slots: Int)?
        for host in coordinators[coordinator].sessions.indices {
            guard let connection = coordinators[coordinator].sessions[host], hosts[host].isWorker else { continue }
            let slots = connections[connection].slots
            if slots > 0, slots > best?.slots ?? 0 { best = (host, connection, slots) }
        }
        guard let best else {
            coordinators[coordinator].parked.append(number)
            return
        }
        connections[best.connection].slots -= 1
        after(
            soon(0...30),
            .grant(coordinator: coordinator, life: life, job: number, host: best.host, connection: best.connection))
    }

    func unpark(on coordinator: Int) {
        let parked = coordinators[coordinator].parked
        coordinators[coordinator].parked = []
        for job in parked { hint(job) }
    }

    /// Lock order and moves of `JobLedger.grant`.
    func grant(_ number: Int, to host: Int, over connection: Int, on coordinator: Int, life: Int) {
        guard isAlive(coordinator, life), !tables.isRecovering else { return }
        let instant = wall(coordinator)
        let token = LeaseToken(using: &random)
        let granted = transact(on: coordinator, "grant job_\(number)") {
            rows -> (offer: JobOffer, was: Job.StateName)? in
            guard var job = rows.job(number), var site = rows.site(job.site)?.site else { return nil }
            let was = job.stateName
            let fence = mutation == .fenceStays && site.fence > .zero ? site.fence : site.raiseFence()
            rows.save(site)
            if mutation == .raceRaisesFence, was == .leased { tables = rows }
            if mutation == .hintGrants, was != .ready, !job.isTerminal {
                job = Job(
                    id: job.id, site: job.site, kind: job.kind, trial: job.trial, state: .ready, attempt: job.attempt,
                    losses: job.losses, createdAt: job.createdAt)
            }
            if let shown = site.preview { rows.bases[number] = shown }
            let lease = try job.grant(
                to: Number.host(host), token: token, fence: fence, until: instant + .milliseconds(Timing.lease),
                at: instant)
            rows.save(job)
            let base = rows.site(job.site)!.versions[rows.bases[number].rawValue - 1].digest
            let offer = JobOffer(
                lease: lease, site: job.site, kind: .edit, leaseDuration: .milliseconds(Timing.lease), base: base,
                engine: .builtin, prompt: "", limits: JobOffer.Limits())
            return (offer, was)
        } committed: { offer, was in
            ledger.granted(
                offer.lease, site: Number.of(offer.site.text), was: was, isTry: tables.job(number)?.trial != nil)
        }
        guard let offer = granted?.offer else { return }
        if mutation == .rowDeletedAtPoll { tables.jobs[number] = nil }
        coordinators[coordinator].openOffers.append(
            SimulatedCoordinator.OpenOffer(lease: offer.lease, host: host, deadline: now + Timing.offer))
        guard coordinators[coordinator].sessions[host] == connection else {
            offerAnswered(offer.lease, on: coordinator)
            return handBack(offer.lease, on: coordinator, epoch: nil)
        }
        send(.offer(offer), on: connection)
    }

    func offerAnswered(_ lease: JobLease, on coordinator: Int) {
        coordinators[coordinator].openOffers.removeAll { $0.lease == lease }
    }

    func reconcile(_ coordinator: Int, life: Int) {
        guard isAlive(coordinator, life) else { return }
        after(Timing.reconcile, .reconcile(coordinator: coordinator, life: life))
        for offer in coordinators[coordinator].openOffers where offer.deadline < now {
            offerAnswered(offer.lease, on: coordinator)
            tell(.leaseLost(offer.lease), to: offer.host, from: coordinator)
            handBack(offer.lease, on: coordinator, epoch: nil)
            guard isAlive(coordinator, life) else { return }
        }
        guard !isDatabaseAway else { return }
        for number in tables.jobs.indices {
            guard let job = tables.jobs[number], case .ready = job.state,
                !coordinators[coordinator].parked.contains(number)
            else { continue }
            hint(number)
        }
    }

    func tell(_ message: CoordinatorMessage, to host: Int, from coordinator: Int) {
        if let connection = coordinators[coordinator].sessions[host] { send(message, on: connection) }
    }

    // MARK: Moves under a lease

    /// As `JobLedger.move`. With an epoch it is a frame of that session that moves.
    private func move(
        _ lease: JobLease, of host: Int, epoch: Int64?, on coordinator: Int, _ name: String,
        _ body: (inout Job) throws -> Void, committed: (Job) -> Void
    ) -> Job? {
        let instant = wall(coordinator)
        let result = transact(on: coordinator, name) { rows -> (job: Job, next: [Job])? in
            if let epoch, !admits(host, epoch: epoch, in: rows) { return nil }
            guard var job = rows.job(lease.job), job.grant?.host == Number.host(host), job.grant?.lease == lease else {
                return nil
            }
            try body(&job)
            rows.save(job)
            rows.record(endOf: job)
            return (job, job.isTerminal ? try rows.moveUp(job.site, at: instant) : [])
        } committed: {
            committed($0.job)
        }
        guard let result else { return nil }
        for next in result.next { hint(Number.of(next.id.text)) }
        return result.job
    }

    func accept(_ lease: JobLease, on connection: Int) -> Bool {
        let link = connections[connection]
        let instant = wall(link.coordinator)
        let job = move(lease, of: link.host, epoch: link.epoch, on: link.coordinator, "accept") { job in
            try job.accept(lease, until: instant + .milliseconds(Timing.lease), at: instant)
            try job.report(lease, step: "Starting", progress: 1, at: instant)
        } committed: { job in
            noteEffect(of: link)
            ledger.wrote(lease, of: job, completes: false)
        }
        return job != nil || !coordinators[link.coordinator].isAlive || isDatabaseAway
    }

    func report(_ lease: JobLease, _ step: String, _ percent: Int, on connection: Int) {
        let link = connections[connection]
        let instant = wall(link.coordinator)
        _ = move(lease, of: link.host, epoch: link.epoch, on: link.coordinator, "report") {
            try $0.report(lease, step: step, progress: percent, at: instant)
        } committed: { job in
            noteEffect(of: link)
            ledger.wrote(lease, of: job, completes: false)
        }
    }

    /// By the host (`epoch` is its session's), or by the coordinator that gives up waiting.
    func handBack(_ lease: JobLease, on coordinator: Int, epoch: Int64?) {
        let instant = wall(coordinator)
        guard let host = tables.job(lease.job)?.grant?.host else { return }
        let losses = tables.job(lease.job)?.losses
        let job = move(lease, of: Number.of(host.text), epoch: epoch, on: coordinator, "hand back") { job in
            if mutation == .handBackCounts, job.grant?.acceptedAt == nil {
                job = Job(
                    id: job.id, site: job.site, kind: job.kind, trial: job.trial, state: job.state,
                    attempt: job.attempt, losses: job.losses + 1, createdAt: job.createdAt)
            }
            try job.handBack(lease, at: instant)
        } committed: { job in
            note(.offerHandedBack)
            if job.losses != losses { ledger.fail(.handBackIsFree, "handing back \(job.id) counted as a loss") }
            ledger.ended(lease, site: Number.of(job.site.text))
        }
        guard let job else { return }
        if case .ready = job.state { hint(Number.of(job.id.text)) }
    }

    /// Takes a job from its host: the fence is raised, so the host is stale from this instant.
    ///
    /// The steward shows its term, which is compared in the transaction.
    func lose(_ lease: JobLease, because code: String, on coordinator: Int?, under term: Term? = nil) {
        let instant = coordinator.map(wall) ?? Timestamp(millisecondsSinceEpoch: Self.epoch + now)
        let reason = JobFailure(kind: .infrastructure, code: code, message: code)
        let result = transact(on: coordinator, "lose") { rows -> (job: Job, next: [Job], counts: Bool)? in
            guard confirms(term, in: rows) else { return nil }
            guard var job = rows.job(lease.job), job.grant?.lease == lease, var site = rows.site(job.site)?.site else {
                return nil
            }
            _ = site.raiseFence()
            rows.save(site)
            let counts = job.grant?.acceptedAt != nil
            try job.lose(reason, at: instant)
            rows.save(job)
            rows.record(endOf: job)
            return (job, job.isTerminal ? try rows.moveUp(job.site, at: instant) : [], counts)
        } committed: { job, _, counts in
            note(.leaseLost)
            acted(under: term)
            if case .dead = job.state { note(.jobDied) }
            ledger.lost(job, counts: counts)
            ledger.ended(lease, site: Number.of(job.site.text))
        }
        guard let result else { return }
        trace.note(5, now, words: "\(now) lost \(lease.job) attempt \(lease.attempt): \(code)")
        if case .ready = result.job.state { hint(Number.of(result.job.id.text)) }
        for next in result.next { hint(Number.of(next.id.text)) }
    }

    func reap(_ coordinator: Int, life: Int) {
        guard isAlive(coordinator, life), mutation != .noReaper else { return }
        after(Timing.reaper, .reap(coordinator: coordinator, life: life))
        guard !isDatabaseAway, !tables.isRecovering else { return }
        guard let term = holdOffice(coordinator), isAlive(coordinator, life) else { return }
        if coordinators[coordinator].watch?.term != term {
            // What it saw before it was the steward says nothing of leases that were renewed meanwhile.
            coordinators[coordinator].leases.forget()
            coordinators[coordinator].watch = (term, now)
        }
        let isEarly = now - (coordinators[coordinator].watch?.since ?? now) < Timing.graceAfterStart
        let grace = Timing.grace + (isEarly ? Timing.graceAfterStart : 0)
        let overdue = coordinators[coordinator].leases.overdue(
            among: tables.leased, at: Moment(milliseconds: now), patience: .milliseconds(Timing.lease + grace),
            cancelTimeout: .milliseconds(Timing.cancel))
        for (job, reason) in overdue {
            guard let grant = job.grant else { continue }
            lose(grant.lease, because: reason.code, on: coordinator, under: term)
            guard isAlive(coordinator, life) else { return }
            tell(.leaseLost(grant.lease), to: Number.of(grant.host.text), from: coordinator)
        }
    }
}
