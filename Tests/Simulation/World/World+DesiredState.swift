import Domain

/// What hosts are to serve: `DesiredState` of the real coordinator, and the pushes of its sessions.
extension World {
    /// What changed is said: to the sessions of this coordinator, and of the others when they hear of it.
    func announce(from coordinator: Int?) {
        for other in coordinators.indices where other == coordinator || random.chance(700) {
            for case let connection? in coordinators[other].sessions where !hosts[connections[connection].host].isWorker
            {
                after(soon(1...50), .push(connection: connection, isResync: false))
            }
        }
    }

    func pushSnapshot(on connection: Int) {
        after(Timing.resync, .push(connection: connection, isResync: true))
        sendSnapshot(on: connection)
    }

    /// Everything at once: what is not named in it is to go. While a restored database is looked at nothing is sent.
    private func sendSnapshot(on connection: Int) {
        let link = connections[connection]
        guard mutation != .edgeTriggeredPush, !tables.isRecovering else { return }
        connections[connection].hasSnapshot = true
        let values = desired(on: link.host, pendingOnly: false, above: [])
        note(values, on: connection)
        send(.desired(values, .whole), on: connection)
    }

    func push(_ connection: Int, isResync: Bool) {
        let link = connections[connection]
        let coordinator = link.coordinator
        guard link.isOpenAtCoordinator, isAlive(coordinator, link.coordinatorLife),
            coordinators[coordinator].sessions[link.host] == connection
        else { return }
        if isResync {
            after(Timing.resync, .push(connection: connection, isResync: true))
            if mutation == .edgeTriggeredPush { return }
            connections[connection].sent = Array(repeating: 0, count: tables.sites.count)
            // Now and then everything is compared in full.
            connections[connection].resyncs += 1
            if connections[connection].resyncs % 10 == 0 { connections[connection].hasSnapshot = false }
        }
        guard !isDatabaseAway, !tables.isRecovering else { return }
        if !connections[connection].hasSnapshot { return sendSnapshot(on: connection) }
        let values = desired(on: link.host, pendingOnly: true, above: connections[connection].sent)
        guard !values.isEmpty else { return }
        note(values, on: connection)
        send(.desired(values, .change), on: connection)
    }

    private func note(_ values: [DesiredSite], on connection: Int) {
        for value in values {
            let site = Number.of(value.site.text)
            while connections[connection].sent.count <= site { connections[connection].sent.append(0) }
            connections[connection].sent[site] = value.generation
        }
    }

    private func desired(on host: Int, pendingOnly: Bool, above sent: [Int64]) -> [DesiredSite] {
        tables.placements[host].indices.compactMap { site in
            guard let placement = tables.placements[host][site] else { return nil }
            if pendingOnly, placement.state != .pending || (site < sent.count && placement.generation <= sent[site]) {
                return nil
            }
            return tables.desired(placement)
        }
    }

    /// What a host says at the start of a session.
    func compare(_ inventory: [SiteStatus], of host: Int, on coordinator: Int) {
        let instant = wall(coordinator)
        _ = transact(on: coordinator, "compare") { rows -> Bool? in
            for status in inventory {
                let site = Number.of(status.site.text)
                guard site < rows.placements[host].count, var placement = rows.placements[host][site] else { continue }
                var digest: ContentDigest?
                if placement.needsDigest(for: status), let wanted = rows.desired(placement) {
                    digest = Number.digest(of: wanted.canonicalText)
                }
                switch placement.compare(status, digest: digest, at: instant) {
                case .unchanged: break
                case .noted: rows.placements[host][site] = placement
                case .raise(let above, _):
                    guard mutation != .restoreWithoutFloor else { break }
                    note(.generationRaised)
                    rows.raiseGeneration(of: status.site, on: host, above: above)
                }
            }
            return true
        }
    }

    /// What a host says about one generation of one site.
    func record(_ status: SiteStatus, on connection: Int) {
        let link = connections[connection]
        let coordinator = link.coordinator
        let instant = wall(coordinator)
        let site = Number.of(status.site.text)
        let isRaised = transact(on: coordinator, "record") { rows -> Bool? in
            guard admits(link.host, epoch: link.epoch, in: rows), site < rows.placements[link.host].count,
                var placement = rows.placements[link.host][site], let wanted = rows.desired(placement)
            else { return nil }
            if case .raise(let above, _) = placement.note(
                status, digest: Number.digest(of: wanted.canonicalText), at: instant)
            {
                guard mutation != .restoreWithoutFloor else { return false }
                rows.raiseGeneration(of: status.site, on: link.host, above: above)
                return true
            }
            rows.placements[link.host][site] = placement
            return false
        } committed: { _ in
            noteEffect(of: link)
        }
        if isRaised == true { announce(from: coordinator) }
    }
}
