package import AgentCore
package import Domain
import Logging

extension ServingRole {
    package func describe(in hello: inout AgentMessage.Hello) async {
        do {
            try await load()
        } catch {
            logger.error("Cannot read what this host serves", metadata: ["error": "\(error)"])
        }
        hello.inventory += sites.values.compactMap { $0.served?.status }.sorted { $0.site < $1.site }
    }

    package func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {
        self.outbox = outbox
        snapshot = nil
        versionKeys = welcome.versionKeys
        // What failed for want of a coordinator need not wait any longer.
        for site in sites.keys { enqueue(site) }
    }

    package func sessionClosed() async {
        outbox = nil
        snapshot = nil
    }

    package func receive(_ message: CoordinatorMessage) async {
        guard case .desired(let values, let part) = message else { return }
        do {
            try await load()
        } catch {
            // Without knowing what is served nothing may be changed; the coordinator says it again.
            logger.error("Cannot read what this host serves", metadata: ["error": "\(error)"])
            snapshot = nil
            return
        }
        switch part {
        case .change:
            snapshot?.note(values)
            accept(values)
        case .snapshot(let index, let isLast):
            take(values, index: index, isLast: isLast)
        }
    }

    /// Takes a part of a snapshot: what is to be served at once, what is to go when the last part is here.
    private func take(_ values: [DesiredSite], index: Int, isLast: Bool) {
        var arriving = index == 0 ? DesiredSnapshot() : snapshot
        snapshot = nil
        guard let kept = arriving?.add(values, index: index), let arrived = arriving else {
            logger.error("A part of a snapshot is missing; nothing is removed", metadata: ["part": "\(index)"])
            return accept(values.filter { !$0.isRemoved })
        }
        guard isLast else {
            snapshot = arrived
            return accept(kept)
        }
        accept(kept + arrived.removals, after: arrived)
    }

    /// Takes wanted states; `snapshot` is whole when it is given, and what it does not name is to go.
    private func accept(_ values: [DesiredSite], after snapshot: DesiredSnapshot? = nil) {
        let absent = snapshot.map { whole in sites.keys.filter { !whole.named.contains($0) }.sorted() } ?? []
        if snapshot != nil { heldRemovals = [:] }
        let removed = values.filter { $0.isRemoved && sites[$0.site]?.isVisible == true && isNews($0) }
        let leaving = absent.filter { sites[$0]?.isVisible == true }
        let total = sites.values.count(where: \.isVisible)
        if RemovalBrake.refuses(removing: removed.count + leaving.count, of: total), !takePermit() {
            for value in removed { heldRemovals[value.site] = .tombstone(value) }
            for site in leaving { heldRemovals[site] = .absence }
            logger.error(
                "Refused to remove many sites at once",
                metadata: [
                    "sites": "\(removed.count + leaving.count)", "of": "\(total)",
                    "permit": "\(layout.massRemovalPermit)",
                ])
            for value in removed {
                send(
                    value,
                    refused: ServiceError(
                        .failedPrecondition,
                        "\(removed.count + leaving.count) of \(total) sites would go at once; the host waits for an operator",
                        rule: "mass-removal",
                        nextStep: "If this is meant, run on the host: touch \(layout.massRemovalPermit)"))
            }
        }
        for value in values {
            if !value.isRemoved { heldRemovals[value.site] = nil }
            if heldRemovals[value.site] == nil { want(value) }
        }
        for site in absent where heldRemovals[site] == nil { forget(site) }
    }

    private func isNews(_ value: DesiredSite) -> Bool { value.generation > (sites[value.site]?.generation ?? -1) }

    /// Lets go of what the brake held, once an operator has said so.
    func releaseHeldRemovals() {
        guard !heldRemovals.isEmpty, takePermit() else { return }
        let released = heldRemovals
        heldRemovals = [:]
        logger.notice("An operator let many sites go", metadata: ["sites": "\(released.count)"])
        for (site, removal) in released {
            switch removal {
            case .tombstone(let value): want(value)
            case .absence: forget(site)
            }
        }
    }

    private func takePermit() -> Bool { FarmFiles.takeFile(layout.massRemovalPermit) }

    private func forget(_ site: SiteID) {
        sites[site]?.isForgotten = true
        sites[site]?.wanted = nil
        sites[site]?.supersede?.yield()
        enqueue(site)
    }

    /// Takes a wanted state, unless it is older than what there is.
    private func want(_ value: DesiredSite) {
        var tracked = sites[value.site] ?? TrackedSite()
        tracked.isForgotten = false
        defer { sites[value.site] = tracked }
        switch tracked.replica.reply(to: value, named: { ServedSite(desired: $0).name }) {
        case .alarm:
            return alarm(value, tracked)
        case .saySo(let isCoordinatorBehind):
            if isCoordinatorBehind {
                logger.info(
                    "The coordinator is behind this host",
                    metadata: [
                        "site.id": "\(value.site)", "generation": "\(tracked.generation)",
                        "sent": "\(value.generation)",
                    ])
            }
            if let served = tracked.served { outbox?.send(.siteStatus(served.status)) }
            return
        case .nothing:
            return
        case .converge:
            break
        }
        tracked.wanted = value
        tracked.refusal = nil
        tracked.attempts = 0
        tracked.tally = TransferTally()
        tracked.supersede?.yield()
        sites[value.site] = tracked
        enqueue(value.site)
        tracked = sites[value.site]!
    }

    /// One generation means one state, everywhere and for ever; anything else is a fault upstream that a person must see.
    private func alarm(_ value: DesiredSite, _ tracked: TrackedSite) {
        logger.critical(
            "Two states for one generation",
            metadata: ["site.id": "\(value.site)", "generation": "\(value.generation)"])
        send(
            value,
            refused: ServiceError(
                .conflict,
                "generation \(value.generation) of this site is another state here; a generation can mean one state only",
                rule: "generation-conflict", nextStep: "Promote the version once more, which makes a new generation."))
    }

    func send(_ value: DesiredSite, refused error: ServiceError, tally: TransferTally? = nil) {
        let total = tally?.total
        let reason = error.nextStep.map { "\(error.message). \($0)" } ?? error.message
        outbox?.send(
            .siteStatus(
                SiteStatus(
                    site: value.site, generation: value.generation, digest: ServedSite(desired: value).digest,
                    condition: .refused(reason: reason), fetchedFiles: total?.files ?? 0,
                    fetchedBytes: total?.bytes ?? 0)))
    }
}
