import AgentCore
import BlockingIO
import Domain
import Logging
import Nginx

extension ServingRole {
    struct Retry: Sendable {
        let attempt: Int
        let delay: Duration
    }

    /// Does what there is to do for a site, until nothing is or it failed; says when to try again.
    func work(on site: SiteID) async -> Retry? {
        defer { finishWork(on: site) }
        while !Task.isCancelled {
            if sites[site]?.isForgotten == true {
                await remove(site)
                continue
            }
            guard let wanted = sites[site]?.wanted else { return nil }
            if let retry = await bringUpToDate(site, to: wanted) { return retry }
        }
        return nil
    }

    private func finishWork(on site: SiteID) {
        sites[site]?.isBusy = false
        touchedSites.insert(site)
    }

    func retry(_ site: SiteID, after attempt: Int) {
        guard sites[site]?.attempts == attempt, sites[site]?.refusal != nil else { return }
        enqueue(site)
    }

    /// `nil` when there may be more to do at once.
    private func bringUpToDate(_ site: SiteID, to wanted: DesiredSite) async -> Retry? {
        let previous = sites[site]?.served
        let tally = sites[site]?.tally ?? TransferTally()
        let clock = ContinuousClock()
        let start = clock.now
        let digests = Set(wanted.trees.map(\.digest))
        do {
            try await beginUse(of: digests)
            defer { endUse(of: digests) }
            let served = try await untilSuperseded(site) { [updater, nginx, keys = versionKeys] in
                // A start of the host or of nginx is under way; a probe would only say that.
                try await nginx.waitUntilAnswering(atMost: .seconds(3))
                return try await updater.update(to: wanted, from: previous, keys: keys, tally: tally)
            }
            sites[site]?.served = served
            sites[site]?.floor = nil
            if sites[site]?.wanted?.generation == wanted.generation {
                sites[site]?.wanted = nil
                sites[site]?.refusal = nil
            }
            outbox?.send(.siteStatus(served.status))
            logger.notice(
                wanted.isRemoved ? "Removed a site" : "Serves a new state of a site",
                metadata: [
                    "site.id": "\(site)", "generation": "\(wanted.generation)",
                    "version": "\(wanted.live.map { "\($0.number)" } ?? "none")", "files": "\(tally.total.files)",
                    "bytes": "\(tally.total.bytes)", "took": "\(start.duration(to: clock.now))",
                ])
            return nil
        } catch {
            return refuse(site, wanted, error: error, tally: tally)
        }
    }

    private func refuse(_ site: SiteID, _ wanted: DesiredSite, error: any Error, tally: TransferTally) -> Retry? {
        // A newer state, or the end of the agent: neither is news for the coordinator.
        guard let tracked = sites[site], !Task.isCancelled, tracked.wanted?.generation == wanted.generation,
            !(error is CancellationError)
        else { return nil }
        let refusal = ServiceError(refusing: error)
        sites[site]?.refusal = refusal
        sites[site]?.attempts += 1
        let attempt = tracked.attempts + 1
        logger.warning(
            "Could not bring a site up to date; it is served as before",
            metadata: [
                "site.id": "\(site)", "generation": "\(wanted.generation)", "attempt": "\(attempt)",
                "error": "\(refusal)",
            ])
        send(wanted, refused: refusal, tally: tally)
        guard refusal.mayHeal else { return Retry(attempt: attempt, delay: .seconds(3600)) }
        let doubled = settings.firstRetry * (1 << min(attempt - 1, 10))
        return Retry(attempt: attempt, delay: min(doubled, settings.longestRetry) * Double.random(in: 0.8...1.2))
    }

    /// Runs `body`; cancels it and throws `CancellationError` when a newer state comes before it has switched.
    private func untilSuperseded(
        _ site: SiteID, _ body: @escaping @Sendable () async throws -> ServedSite
    ) async throws -> ServedSite {
        let (newer, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        sites[site]?.supersede = continuation
        defer { sites[site]?.supersede = nil }
        return try await withThrowingTaskGroup(of: ServedSite?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in newer { return nil }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }

    private func remove(_ site: SiteID) async {
        let farm = farm
        let served = sites[site]?.served
        let floor = sites[site]?.floor
        let names = served.map { $0.desired.liveNames + $0.desired.previewNames } ?? []
        // A state that is wanted from now on starts from nothing.
        sites[site]?.served = nil
        sites[site]?.floor = nil
        do {
            try await pool.run { try farm.forget(site, names: names) }
            if sites[site]?.isForgotten == true { sites[site] = nil }
            logger.notice("Removed a site that the coordinator does not know", metadata: ["site.id": "\(site)"])
        } catch {
            sites[site]?.served = served
            sites[site]?.floor = floor
            sites[site]?.isForgotten = false
            logger.error("Cannot remove a site", metadata: ["site.id": "\(site)", "error": "\(error)"])
        }
    }

    // MARK: Trees in use

    /// From here to ``endUse(of:)`` clean-up leaves these trees alone.
    func beginUse(of digests: Set<ContentDigest>) async throws {
        try await treeGate.acquire()
        for digest in digests { treesInUse[digest, default: 0] += 1 }
        treeGate.release()
    }

    func endUse(of digests: Set<ContentDigest>) {
        for digest in digests {
            let count = treesInUse[digest, default: 1] - 1
            treesInUse[digest] = count > 0 ? count : nil
        }
    }
}
