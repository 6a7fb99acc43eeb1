import Domain

/// What users and operators ask for. A user who gets no answer asks again, with the same key.
extension World {
    private func livingCoordinator() -> Int? {
        random.pick(coordinators.indices.filter { coordinators[$0].isAlive && coordinators[$0].pausedUntil <= now })
    }

    private var livingSites: [Int] { tables.sites.indices.filter { tables.site(Number.site($0)) != nil } }

    func newKey() -> Int {
        let key = nextKey
        nextKey += 1
        return key
    }

    func submit(key: Int, site: Int) {
        guard answered[key] != true else { return }
        guard site < tables.sites.count, tables.site(Number.site(site)) != nil else {
            answered[key] = true
            return
        }
        guard let coordinator = livingCoordinator(), !isDatabaseAway else {
            return after(soon(500...4000), .submit(key: key, site: site))
        }
        let instant = wall(coordinator)
        let number = nextJob
        let accepted = transact(on: coordinator, "submit job_\(number)") { rows -> (job: Int, isNew: Bool)? in
            while rows.jobOfKey.count <= key { rows.jobOfKey.append(nil) }
            if let job = rows.jobOfKey[key] { return (job, false) }
            guard let row = rows.site(Number.site(site))?.site else { return (-1, false) }
            // Some requests try something beside what moves the site; those of one site are siblings.
            let trial = key % 4 == 3 ? EditID(unchecked: "edit_\(row.id)") : nil
            var job = Job(id: Number.job(number), site: row.id, kind: .edit, trial: trial, createdAt: instant)
            let queued = rows.queued(of: row.id).count
            if mutation == .everyJobIsReady {
                try job.makeReady(at: instant)
            } else {
                try job.join(behind: rows.active(of: row.id), andQueued: queued, at: instant)
            }
            while rows.jobs.count <= number {
                rows.jobs.append(nil)
                rows.bases.append(.first)
            }
            rows.jobs[number] = job
            rows.bases[number] = row.preview ?? .first
            if mutation != .keyAfterwards { rows.jobOfKey[key] = number }
            return (number, true)
        } committed: { accepted in
            guard accepted.isNew else { return }
            nextJob += 1
            ledger.addJob(number, key: key)
        }
        guard let accepted else { return after(soon(500...4000), .submit(key: key, site: site)) }
        if mutation == .keyAfterwards, accepted.isNew {
            after(soon(1...200), .writeKey(key: key, job: accepted.job))
        }
        answered[key] = true
        guard accepted.job >= 0 else { return }
        ledger.timeline.accepted[accepted.job] = true
        if tables.job(accepted.job)?.isActive == true { hint(accepted.job) }
    }

    func perform(_ action: Scenario.Action) {
        guard let coordinator = livingCoordinator(), !isDatabaseAway, let number = random.pick(livingSites) else {
            return
        }
        let instant = wall(coordinator)
        let id = Number.site(number)
        trace.note(7, now, Int64(action.rawValue), Int64(number), words: "\(now) user: \(action) on site_\(number)")
        switch action {
        case .cancel: cancel(on: coordinator, of: id)
        case .promote, .rollBack, .preview:
            let choice = random.next()
            let done = transact(on: coordinator, "\(action)") { rows -> Bool? in
                guard var site = rows.site(id)?.site, let last = site.lastVersion else { return nil }
                let version = VersionNumber(unchecked: Int(choice % UInt64(last.rawValue)) + 1)
                switch action {
                case .preview: try site.showPreview(of: version)
                case .rollBack:
                    guard let previous = site.previous else { return nil }
                    _ = try site.promote(previous, by: Self.owner, at: instant)
                default: _ = try site.promote(version, by: Self.owner, at: instant)
                }
                rows.save(site)
                if mutation != .generationStays { rows.raiseGenerations(of: id, at: instant) }
                return true
            }
            if done != nil { announce(from: coordinator) }
        case .maintenance:
            let done = transact(on: coordinator, "maintenance") { rows -> Bool? in
                guard var site = rows.site(id)?.site else { return nil }
                site.maintenance = site.maintenance == nil ? try Site.Maintenance(message: "away") : nil
                rows.save(site)
                rows.raiseGenerations(of: id, at: instant)
                return true
            }
            if done != nil { announce(from: coordinator) }
        case .delete: if livingSites.count > 1 { delete(id, on: coordinator) }
        case .create: create(on: coordinator)
        case .unlock:
            if let lease = tables.active(of: id).compactMap(\.grant).first?.lease {
                lose(lease, because: "unlocked", on: coordinator)
            }
        case .revoke: revoke(on: coordinator)
        case .repeatedRequest:
            let key = newKey()
            after(soon(0...300), .submit(key: key, site: number))
            after(soon(0...300), .submit(key: key, site: number))
        case .garbage: collectGarbage()
        }
    }

    static let owner = UserID(unchecked: "user_1")

    private func cancel(on coordinator: Int, of site: SiteID) {
        let instant = wall(coordinator)
        let open = tables.jobs.compactMap { job in job?.site == site ? job : nil }
            .filter { mutation == .cancelReopens || !$0.isTerminal }
        guard let chosen = random.pick(open) else { return }
        let result = transact(on: coordinator, "cancel \(chosen.id)") { rows -> (job: Job, next: [Job])? in
            guard var job = rows.job(chosen.id) else { return nil }
            if mutation == .cancelReopens, job.isTerminal {
                job = Job(
                    id: job.id, site: job.site, kind: job.kind, trial: job.trial, attempt: job.attempt,
                    createdAt: job.createdAt)
            }
            try job.cancel(at: instant)
            rows.save(job)
            rows.record(endOf: job)
            return (job, job.isTerminal ? try rows.moveUp(job.site, at: instant) : [])
        }
        guard let result else { return }
        note(.jobCancelled)
        hints.removeAll { $0 == Number.of(chosen.id.text) }
        if let grant = result.job.grant {
            tell(.cancel(grant.lease), to: Number.of(grant.host.text), from: coordinator)
        }
        for next in result.next { hint(Number.of(next.id.text)) }
    }

    private func delete(_ id: SiteID, on coordinator: Int) {
        let instant = wall(coordinator)
        let number = Number.of(id.text)
        let done = transact(on: coordinator, "delete \(id)") { rows -> Bool? in
            guard var site = rows.site(id)?.site else { return nil }
            _ = site.raiseFence()
            rows.save(site)
            // As `JobStore.cancelAll` does in SQL.
            for case var job? in rows.jobs where job.site == id && !job.isTerminal {
                let lease = job.grant?.lease
                try job.cancel(at: instant)
                if let lease { try job.confirmCancelled(lease, at: instant) }
                rows.save(job)
            }
            rows.raiseGenerations(of: id, at: instant, removed: true)
            rows.sites[number]!.isDeleted = true
            return true
        } committed: { _ in
            ledger.holder[number] = nil
            ledger.tries[number] = []
        }
        if done != nil { announce(from: coordinator) }
    }

    /// A site with a first version that is live.
    func create(on coordinator: Int?) {
        let instant = coordinator.map(wall) ?? Timestamp(millisecondsSinceEpoch: Self.epoch)
        let number = nextSite
        let content = digests.count
        let done = transact(on: coordinator, "create site_\(number)") { rows -> Bool? in
            var site = Site(
                id: Number.site(number), owner: Self.owner, slug: Self.slug, name: "", createdAt: instant)
            site.enter(incarnation: rows.incarnation)
            let version = site.takeVersionNumber()
            try site.showPreview(of: version)
            _ = try site.promote(version, by: Self.owner, at: instant)
            while rows.sites.count <= number { rows.sites.append(nil) }
            rows.sites[number] = Tables.SiteRow(
                site: site, versions: [Tables.VersionRow(content: content, digest: Number.digest(content))])
            for host in hosts.indices where !hosts[host].isWorker {
                while rows.placements[host].count <= number { rows.placements[host].append(nil) }
                rows.placements[host][number] = Placement(
                    host: Number.host(host), site: site.id, generation: 1, updatedAt: instant)
            }
            return true
        } committed: { _ in
            nextSite += 1
            digests.append(Number.digest(content))
            blobs.append(now)
            ledger.addSite()
        }
        if done != nil { announce(from: coordinator) }
    }

    private static let slug: Slug = try! Slug("bakery")

    private func revoke(on coordinator: Int) {
        // Work and sites need somebody who is left.
        let members = hosts.indices.filter { !hosts[$0].isRevoked }
        guard let host = random.pick(members),
            members.contains(where: { $0 != host && hosts[$0].isWorker == hosts[host].isWorker })
        else { return }
        let done = transact(on: coordinator, "revoke host_\(host)") { rows -> Bool? in
            rows.hosts[host].state = .revoked
            return true
        } committed: { _ in
            hosts[host].isRevoked = true
        }
        guard done != nil else { return }
        if let connection = coordinators[coordinator].sessions[host] { hangUp(connection, atAgent: false) }
        for job in tables.leased where job.grant?.host == Number.host(host) {
            if let lease = job.grant?.lease { lose(lease, because: "host-revoked", on: coordinator) }
            guard coordinators[coordinator].isAlive else { return }
        }
    }

    /// Deletes blobs that no version is made of and that are not young.
    private func collectGarbage() {
        let grace = mutation == .garbageWithoutGrace ? 0 : Timing.blobGrace
        var used = Set<Int>()
        for case let row? in tables.sites { used.formUnion(row.versions.map(\.content)) }
        for content in blobs.indices {
            guard let since = blobs[content], !used.contains(content), now - since >= grace else { continue }
            blobs[content] = nil
            collected.insert(content)
        }
    }
}
