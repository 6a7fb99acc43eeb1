import Domain

/// Serving hosts: what `ServingRole`, `SiteUpdater` and `SiteFarm` do, step by step, on a disk that can lose what was not
/// synced.
extension World {
    private func isAlive(host: Int, _ life: Int) -> Bool { hosts[host].isAlive && hosts[host].life == life }

    private func make(room site: Int, on host: Int) {
        while hosts[host].sites.count <= site { hosts[host].sites.append(ServedReplica()) }
    }

    private func name(_ value: DesiredSite) -> GenerationName {
        GenerationName(generation: value.generation, digest: Number.digest(of: value.canonicalText))
    }

    private func status(_ value: DesiredSite) -> SiteStatus {
        SiteStatus(
            site: value.site, generation: value.generation, digest: Number.digest(of: value.canonicalText),
            condition: .applied)
    }

    func inventory(of host: Int) -> [SiteStatus] { hosts[host].sites.compactMap { $0.replica.served.map(status) } }

    /// Reads what is on the disk, as at a start of the agent.
    func load(_ host: Int) {
        for site in hosts[host].sites.indices {
            var served = hosts[host].sites[site]
            // What is about to be reported is made durable first: an agent killed between rename and sync left it open.
            served.durableCurrent = served.current
            if let current = served.current { ledger.serves(current, host: host, site: site) }
            served.replica = SiteReplica(served: served.current)
            if mutation == .generationInSeparateFile, let current = served.current {
                served.replica.served = DesiredSite(
                    site: current.site, generation: served.generationFile, isRemoved: current.isRemoved,
                    live: current.live, preview: current.preview, previous: current.previous,
                    maintenance: current.maintenance, addresses: current.addresses)
            }
            served.isForgotten = false
            served.isBusy = false
            served.attempts = 0
            served.hasRefused = false
            served.work += 1
            hosts[host].sites[site] = served
        }
    }

    // MARK: What is wanted

    func want(_ values: [DesiredSite], isComplete: Bool, on host: Int) {
        for value in values {
            let site = Number.of(value.site.text)
            make(room: site, on: host)
            want(value, site: site, on: host)
        }
        guard isComplete else { return }
        let named = values.map(\.site)
        for site in hosts[host].sites.indices
        where !named.contains(Number.site(site))
            && (hosts[host].sites[site].current != nil || hosts[host].sites[site].replica.wanted != nil)
        {
            hosts[host].sites[site].isForgotten = true
            hosts[host].sites[site].replica.wanted = nil
            begin(site, on: host)
        }
    }

    private func want(_ value: DesiredSite, site: Int, on host: Int) {
        hosts[host].sites[site].isForgotten = false
        let replica = hosts[host].sites[site].replica
        var reply = replica.reply(to: value, named: name)
        if mutation == .noGenerationCheck, replica.served != value { reply = .converge }
        switch reply {
        case .alarm:
            say(.siteStatus(refusal(value)), from: host)
        case .saySo:
            if let served = replica.served { say(.siteStatus(status(served)), from: host) }
        case .nothing: break
        case .converge:
            hosts[host].sites[site].replica.wanted = value
            hosts[host].sites[site].hasRefused = false
            hosts[host].sites[site].attempts = 0
            begin(site, on: host)
        }
    }

    private func refusal(_ value: DesiredSite) -> SiteStatus {
        SiteStatus(
            site: value.site, generation: value.generation, digest: Number.digest(of: value.canonicalText),
            condition: .refused(reason: "no"))
    }

    // MARK: Work

    func begin(_ site: Int, on host: Int) {
        let served = hosts[host].sites[site]
        guard hosts[host].isAlive, !served.isBusy, served.isForgotten || served.replica.wanted != nil else { return }
        hosts[host].sites[site].isBusy = true
        hosts[host].sites[site].work += 1
        plan(.verify, site, on: host, in: 1...40)
    }

    private func plan(_ stage: ServingStage, _ site: Int, on host: Int, in range: ClosedRange<Int>) {
        after(
            soon(range),
            .serve(
                host: host, life: hosts[host].life, site: site, work: hosts[host].sites[site].work, stage: stage))
    }

    func retry(_ site: Int, on host: Int, life: Int, attempt: Int) {
        guard isAlive(host: host, life), hosts[host].sites[site].hasRefused, hosts[host].sites[site].attempts == attempt
        else { return }
        begin(site, on: host)
    }

    func serve(_ site: Int, on host: Int, life: Int, work: Int, stage: ServingStage) {
        guard isAlive(host: host, life), hosts[host].sites[site].work == work else { return }
        trace.note(
            6, now, Int64(host), Int64(site), Int64(stage.rawValue), words: "\(now) host \(host) site \(site) \(stage)")
        if stage.rawValue <= ServingStage.buildGeneration.rawValue {
            if hosts[host].sites[site].isForgotten { return forget(site, on: host) }
            guard let wanted = hosts[host].sites[site].replica.wanted else {
                hosts[host].sites[site].isBusy = false
                return
            }
            // A newer state supersedes the one in work until it was switched.
            if stage == .verify { hosts[host].sites[site].working = wanted }
            if hosts[host].sites[site].working != wanted { return plan(.verify, site, on: host, in: 0...1) }
        }
        guard let working = hosts[host].sites[site].working else { return }
        switch stage {
        case .verify: plan(.fetch, site, on: host, in: 1...20)
        case .fetch:
            let isConnected = hosts[host].connection.map { connections[$0].isWelcomed } ?? false
            let isMissing = working.trees.contains { !isWhole($0, on: host) }
            guard !isMissing || (isConnected && !isDatabaseAway && !hosts[host].isDiskFull) else {
                return refuse(site, working, on: host)
            }
            plan(.buildTrees, site, on: host, in: isMissing ? 50...2000 : 0...1)
        case .buildTrees:
            for tree in working.trees where !isWhole(tree, on: host) {
                setTree(tree, mutation == .unsyncedTree ? .volatile : .durable, on: host)
            }
            plan(.buildGeneration, site, on: host, in: 1...20)
        case .buildGeneration:
            guard !hosts[host].isDiskFull else { return refuse(site, working, on: host) }
            plan(.rename, site, on: host, in: 1...20)
        case .rename:
            hosts[host].sites[site].before = hosts[host].sites[site].current
            hosts[host].sites[site].current = working
            checkServed(site, on: host)
            plan(.sync, site, on: host, in: 1...30)
        case .sync:
            hosts[host].sites[site].durableCurrent = working
            if working.isRemoved { note(.tombstoneServed) }
            ledger.serves(working, host: host, site: site)
            plan(.probe, site, on: host, in: 1...100)
        case .probe: probe(site, working, on: host)
        }
    }

    private func probe(_ site: Int, _ working: DesiredSite, on host: Int) {
        if scenario.faults.contains(.probeFailure), !isCalm, random.chance(250) {
            let before = hosts[host].sites[site].before
            hosts[host].sites[site].current = before
            hosts[host].sites[site].durableCurrent = before
            note(.switchUndone)
            ledger.undid(working, to: before, host: host, site: site)
            return refuse(site, working, on: host)
        }
        hosts[host].sites[site].replica.served = working
        hosts[host].sites[site].replica.floor = nil
        if hosts[host].sites[site].replica.wanted?.generation == working.generation {
            hosts[host].sites[site].replica.wanted = nil
            hosts[host].sites[site].hasRefused = false
        }
        say(.siteStatus(status(working)), from: host)
        hosts[host].sites[site].isBusy = false
        if mutation == .tombstoneForgotten, working.isRemoved {
            hosts[host].sites[site].replica = SiteReplica()
            hosts[host].sites[site].current = nil
            hosts[host].sites[site].durableCurrent = nil
        }
        begin(site, on: host)
    }

    private func refuse(_ site: Int, _ working: DesiredSite, on host: Int) {
        hosts[host].sites[site].isBusy = false
        guard hosts[host].sites[site].replica.wanted?.generation == working.generation else {
            return begin(site, on: host)
        }
        note(.stateRefused)
        hosts[host].sites[site].hasRefused = true
        hosts[host].sites[site].attempts += 1
        let attempt = hosts[host].sites[site].attempts
        say(.siteStatus(refusal(working)), from: host)
        after(
            soon(500...min(1000 << min(attempt, 4), 15_000)),
            .retry(host: host, life: hosts[host].life, site: site, attempt: attempt))
    }

    private func forget(_ site: Int, on host: Int) {
        hosts[host].sites[site].isForgotten = false
        hosts[host].sites[site].isBusy = false
        hosts[host].sites[site].current = nil
        hosts[host].sites[site].durableCurrent = nil
        hosts[host].sites[site].replica.served = nil
        hosts[host].sites[site].replica.floor = nil
        note(.siteForgotten)
        ledger.forgets(host: host, site: site)
        begin(site, on: host)
    }

    // MARK: The disk

    private func content(_ tree: DesiredSite.Tree) -> Int { digests.firstIndex(of: tree.digest)! }

    private func isWhole(_ tree: DesiredSite.Tree, on host: Int) -> Bool {
        let content = content(tree)
        guard content < hosts[host].trees.count else { return false }
        // What a loss of power tore has its name: only a look at every byte would tell.
        return hosts[host].trees[content] != .absent
    }

    private func setTree(_ tree: DesiredSite.Tree, _ state: TreeState, on host: Int) {
        let content = content(tree)
        while hosts[host].trees.count <= content { hosts[host].trees.append(.absent) }
        hosts[host].trees[content] = state
    }

    func losePower(_ host: Int) {
        note(.powerLost)
        for site in hosts[host].sites.indices {
            // A rename that was not synced may be on the disk, or not.
            if hosts[host].sites[site].current != hosts[host].sites[site].durableCurrent {
                if random.chance(500) {
                    hosts[host].sites[site].durableCurrent = hosts[host].sites[site].current
                    if let current = hosts[host].sites[site].current {
                        ledger.serves(current, host: host, site: site)
                    }
                } else {
                    hosts[host].sites[site].current = hosts[host].sites[site].durableCurrent
                }
            }
        }
        for content in hosts[host].trees.indices where hosts[host].trees[content] == .volatile {
            hosts[host].trees[content] = random.chance(500) ? .durable : random.chance(500) ? .torn : .absent
        }
        for site in hosts[host].sites.indices { checkServed(site, on: host) }
    }

    func checkServed(_ site: Int, on host: Int) {
        guard let current = hosts[host].sites[site].current else { return }
        for tree in current.trees {
            let content = content(tree)
            let state = content < hosts[host].trees.count ? hosts[host].trees[content] : .absent
            if state == .absent || state == .torn {
                ledger.fail(.wholeReleases, "host_\(host) serves site_\(site) from a tree that is \(state)")
            }
        }
    }
}
