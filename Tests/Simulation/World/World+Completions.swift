import Domain

/// The ends of attempts: `JobCompletions` of the real coordinator.
extension World {
    func complete(_ completion: JobCompletion, on connection: Int) {
        let link = connections[connection]
        let lease = completion.lease
        let host = Number.host(link.host)
        guard let job = tables.job(lease.job) else {
            note(.completionStale)
            return send(.verdict(lease, .stale), on: connection)
        }
        if !isLoose(lease, job), let verdict = job.verdict(on: lease, from: host) {
            note(verdict == .stale ? .completionStale : .completionDuplicate)
            return send(.verdict(lease, verdict), on: connection)
        }
        // Checking the files takes a while, and anything can happen meanwhile.
        var outcome = completion.outcome
        if case .succeeded(_, let digest) = outcome, let content = digests.firstIndex(of: digest),
            blobs[content] == nil, mutation != .promotesUnseen
        {
            outcome = .failed(JobFailure(kind: .infrastructure, code: "blobs-missing", message: "missing"))
        }
        after(soon(1...400), .commit(connection: connection, life: link.coordinatorLife, completion, outcome))
    }

    /// With the mutations that compare less than all of a lease.
    private func isLoose(_ lease: JobLease, _ job: Job) -> Bool {
        switch mutation {
        case .stateOnlyCompletion: job.grant != nil
        case .noFenceCheck: job.grant != nil && job.attempt == lease.attempt
        case .duplicateApplies:
            if case .succeeded = job.state { job.attempt == lease.attempt } else { false }
        default: false
        }
    }

    func commit(_ completion: JobCompletion, _ outcome: JobCompletion.Outcome, on connection: Int, life: Int) {
        let link = connections[connection]
        let coordinator = link.coordinator
        guard isAlive(coordinator, life) else { return }
        let host = Number.host(link.host)
        let lease = completion.lease
        let instant = wall(coordinator)
        let result = transact(on: coordinator, "complete \(lease.job)") {
            rows -> (job: Job, next: [Job], held: JobLease, counts: Bool)? in
            guard admits(link.host, epoch: link.epoch, in: rows), var job = rows.job(lease.job),
                var site = rows.site(job.site)?.site
            else { return nil }
            let isLoose = isLoose(lease, job)
            guard isLoose || site.admits(lease, of: host, on: job) else { return nil }
            // A mutant takes the lease that is held for the one that it was shown.
            let held = isLoose ? job.grant?.lease ?? lease : lease
            if mutation == .duplicateApplies, isLoose {
                job = Job(
                    id: job.id, site: job.site, kind: job.kind, trial: job.trial,
                    state: .leased(Job.Grant(lease: lease, host: host, expiresAt: instant)), attempt: job.attempt,
                    createdAt: job.createdAt)
            }
            var counts = false
            switch outcome {
            case .succeeded(_, let digest):
                let number = site.takeVersionNumber()
                var row = rows.site(job.site)!
                row.versions = Array(row.versions.prefix(number.rawValue - 1))
                row.versions.append(
                    Tables.VersionRow(content: digests.firstIndex(of: digest)!, digest: digest))
                rows.sites[Number.of(job.site.text)] = row
                // A try is there to be picked; it moves nothing.
                if job.trial == nil {
                    try site.showPreview(of: number)
                    if mutation != .generationStays { rows.raiseGenerations(of: site.id, at: instant) }
                }
                try job.succeed(held, with: number, at: instant)
            case .failed(let failure):
                counts = failure.kind == .infrastructure && job.grant?.acceptedAt != nil
                try job.fail(held, with: failure, at: instant)
            case .cancelled: try job.confirmCancelled(held, at: instant)
            }
            _ = site.raiseFence()
            rows.save(site)
            rows.save(job)
            if mutation != .auditAfterwards { rows.record(endOf: job) }
            return (job, job.isTerminal ? try rows.moveUp(job.site, at: instant) : [], held, counts)
        } committed: { job, _, held, counts in
            noteEffect(of: link)
            if case .succeeded(_, let digest) = outcome, let content = digests.firstIndex(of: digest),
                blobs[content] == nil
            {
                ledger.fail(
                    collected.contains(content) ? .garbageIsGarbage : .liveIsComplete,
                    "a version of \(job.site) was recorded without its blobs")
            }
            ledger.wrote(lease, of: job, completes: job.isTerminal)
            ledger.ended(held, site: Number.of(job.site.text))
            if counts { ledger.lost(job, counts: true) }
        }
        guard coordinators[coordinator].isAlive, coordinators[coordinator].life == life else { return }
        guard let result else {
            return isDatabaseAway
                ? hangUp(connection, atAgent: false) : send(.verdict(lease, .stale), on: connection)
        }
        if mutation == .auditAfterwards {
            _ = transact(on: coordinator, "audit") { rows -> Bool? in
                rows.record(endOf: result.job)
                return true
            }
        }
        if case .ready = result.job.state { hint(Number.of(result.job.id.text)) }
        for next in result.next { hint(Number.of(next.id.text)) }
        note(.completionApplied)
        announce(from: coordinator)
        send(.verdict(lease, .applied), on: connection)
    }
}
