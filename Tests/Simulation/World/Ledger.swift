import Domain

/// The oracle: what was promised and what was done, kept apart from everything that a crash or a restore can reach.
final class Ledger {
    struct Violation: Error, Sendable {
        let invariant: Invariant
        let detail: String
    }

    /// What goes back with a restore, because the timeline does.
    struct Timeline {
        var accepted: [Bool] = []
        var completions: [Int] = []
        var attempts: [Int] = []
        var acceptedLosses: [Int] = []
        var jobsOfKey: [Int] = []

        mutating func grow(to jobs: Int) {
            while accepted.count < jobs {
                accepted.append(false)
                completions.append(0)
                attempts.append(0)
                acceptedLosses.append(0)
            }
        }
    }

    var timeline = Timeline()
    var largestGranted: [Fence] = []
    var largestFence: [Fence] = []
    /// The lease granted last for a site that nobody took back or ended.
    var holder: [JobLease?] = []
    /// Those that are worked on side by side, of a site.
    var tries: [[JobLease]] = []
    var firstViolation: Violation?

    /// The highest generation that was durable and not undone, and that of a tombstone, by host and site.
    var floors: [[Int64]] = []
    var tombstones: [[Int64?]] = []
    /// The canonical text of every generation that was ever durable, by host and site.
    var meanings: [[[Int64: String]]] = []
    var epochs: [Int64] = []

    func fail(_ invariant: Invariant, _ detail: @autoclosure () -> String) {
        if firstViolation == nil { firstViolation = Violation(invariant: invariant, detail: detail()) }
    }

    func addSite() {
        largestGranted.append(.zero)
        largestFence.append(.zero)
        holder.append(nil)
        tries.append([])
        for host in floors.indices {
            floors[host].append(-1)
            tombstones[host].append(nil)
            meanings[host].append([:])
        }
    }

    func addHost() {
        meanings.append([])
        floors.append([])
        tombstones.append([])
        epochs.append(0)
    }

    func addJob(_ number: Int, key: Int) {
        timeline.grow(to: number + 1)
        while timeline.jobsOfKey.count <= key { timeline.jobsOfKey.append(0) }
        timeline.jobsOfKey[key] += 1
        if timeline.jobsOfKey[key] > 1 { fail(.oneJobPerKey, "key \(key) made \(timeline.jobsOfKey[key]) jobs") }
    }

    func goBack(to timeline: Timeline, jobs: Int) {
        self.timeline = timeline
        self.timeline.grow(to: jobs)
        // No coordinator lived through it, so no session did.
        for host in epochs.indices { epochs[host] = 0 }
    }

    // MARK: What hosts serve

    /// A state of a site is on a host's disk and in force.
    func serves(_ value: DesiredSite, host: Int, site: Int) {
        if let tombstone = tombstones[host][site], value.generation < tombstone, !value.isRemoved {
            fail(.tombstonesStay, "host_\(host) serves site_\(site) again under generation \(value.generation)")
        }
        if value.generation < floors[host][site] {
            fail(
                .hostsNeverGoBack,
                "host_\(host) went from generation \(floors[host][site]) of site_\(site) to \(value.generation)")
        }
        let text = value.canonicalText
        if let meaning = meanings[host][site][value.generation], meaning != text {
            fail(
                .oneDigestPerGeneration,
                "generation \(value.generation) of site_\(site) on host_\(host) has two meanings")
        }
        meanings[host][site][value.generation] = text
        floors[host][site] = max(floors[host][site], value.generation)
        if value.isRemoved { tombstones[host][site] = value.generation }
    }

    /// A probe failed and what was served before is served again.
    func undid(_ value: DesiredSite, to before: DesiredSite?, host: Int, site: Int) {
        if before?.generation != value.generation { meanings[host][site][value.generation] = nil }
        floors[host][site] = before?.generation ?? -1
        if value.isRemoved { tombstones[host][site] = nil }
    }

    /// A complete list left the site out.
    func forgets(host: Int, site: Int) {
        floors[host][site] = -1
        tombstones[host][site] = nil
        meanings[host][site] = [:]
    }

    // MARK: Every commit

    func check(_ old: Tables, _ new: Tables) {
        // What else is broken is the better word for a job that ended twice.
        var lateFailure: (Invariant, String)?
        for number in timeline.accepted.indices {
            let before = old.job(number)
            guard let after = new.job(number) else {
                if timeline.accepted[number] { fail(.oneState, "job_\(number) was accepted and has no row") }
                continue
            }
            if after.attempt < timeline.attempts[number] {
                fail(
                    .neverDecreases, "job_\(number) went from attempt \(timeline.attempts[number]) to \(after.attempt)")
            }
            timeline.attempts[number] = after.attempt
            guard let before, before.stateName != after.stateName || before.attempt != after.attempt else { continue }
            let ends = number < new.ends.count ? new.ends[number] : 0
            // A site that is deleted ends its jobs with one row of its own.
            if ends > 1 || (ends == 1 && !after.isTerminal)
                || (ends == 0 && after.isTerminal && !before.isTerminal && new.site(after.site) != nil)
            {
                lateFailure = (.oneAuditRow, "job_\(number) is \(after.stateName), and its end has \(ends) rows")
            }
            if before.isTerminal {
                fail(.terminalAbsorbs, "job_\(number) was \(before.stateName) and is \(after.stateName)")
            }
        }
        for number in new.sites.indices {
            guard let row = new.sites[number] else { continue }
            if row.site.fence < largestFence[number] {
                fail(
                    .neverDecreases,
                    "the fence of site_\(number) fell from \(largestFence[number]) to \(row.site.fence)")
            }
            largestFence[number] = max(largestFence[number], row.site.fence)
            let active = new.active(of: row.site.id)
            for job in active {
                if let lease = job.grant?.lease,
                    job.trial == nil ? lease.fence != row.site.fence : lease.fence > row.site.fence
                {
                    fail(
                        .acceptedIsCurrent,
                        "\(job.id) is leased under fence \(lease.fence), but its site's is \(row.site.fence)")
                }
            }
            if active.count > 1, Set(active.map(\.trial)).count > 1 || active[0].trial == nil {
                fail(.oneActivePerSite, "site_\(number) has \(active.count) jobs that are ready or leased")
            }
            for pointer in [row.site.live, row.site.preview] {
                guard let pointer else { continue }
                if pointer.rawValue > row.versions.count {
                    fail(.liveIsComplete, "site_\(number) points at no version")
                }
            }
        }
        for host in new.placements.indices {
            for site in new.placements[host].indices {
                guard site < old.placements[host].count, let before = old.placements[host][site],
                    let after = new.placements[host][site]
                else { continue }
                if after.generation < before.generation {
                    fail(.generationsGrow, "site_\(site) on host_\(host) fell to generation \(after.generation)")
                }
                if after.generation == before.generation, let was = old.desired(before), let isNow = new.desired(after),
                    was != isNow
                {
                    fail(.generationsGrow, "site_\(site) on host_\(host) changed within generation \(after.generation)")
                }
            }
        }
        if let lateFailure { fail(lateFailure.0, lateFailure.1) }
    }

    // MARK: Moves

    func granted(_ lease: JobLease, site: Int, was state: Job.StateName, isTry: Bool) {
        if state != .ready { fail(.hintsDecideNothing, "\(lease.job) was granted while it was \(state)") }
        if lease.fence <= largestGranted[site] {
            fail(.fencesGrow, "site_\(site) was granted under fence \(lease.fence) after \(largestGranted[site])")
        }
        largestGranted[site] = max(largestGranted[site], lease.fence)
        // Whoever held the site before holds it no more, but for a sibling of a try.
        tries[site] = isTry ? tries[site].filter { $0.job != lease.job } + [lease] : []
        holder[site] = isTry ? nil : lease
    }

    func ended(_ lease: JobLease, site: Int) {
        if holder[site] == lease { holder[site] = nil }
        tries[site].removeAll { $0 == lease }
    }

    /// A job was taken from its host; `counts` when the host had accepted it.
    func lost(_ job: Job, counts: Bool) {
        let number = Number.of(job.id.text)
        if counts { timeline.acceptedLosses[number] += 1 }
        if case .dead = job.state, timeline.acceptedLosses[number] < Job.maximumLosses {
            fail(.handBackIsFree, "\(job.id) is dead after \(timeline.acceptedLosses[number]) accepted attempts")
        }
    }

    /// A write under a lease took effect.
    func wrote(_ lease: JobLease, of job: Job, completes: Bool) {
        let site = Number.of(job.site.text)
        if completes {
            let number = Number.of(lease.job.text)
            timeline.completions[number] += 1
            if timeline.completions[number] > 1 { fail(.oneCompletion, "\(lease.job) completed twice") }
        }
        if job.trial == nil, lease.fence < largestGranted[site] {
            fail(.noWriteBelowFence, "\(lease.job) wrote under fence \(lease.fence) after \(largestGranted[site])")
        }
        if holder[site] != lease, !tries[site].contains(lease) {
            fail(.acceptedIsCurrent, "\(lease.job) took attempt \(lease.attempt), which is not the one held now")
        }
    }
}
