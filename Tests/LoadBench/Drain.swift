import ArgumentParser
import Coordinator
import Domain

/// Many queued jobs and many workers: how near to the workers' own speed they are done, whether each site's come in their
/// order, and whether anybody waits for ever.
struct Drain: AsyncParsableCommand {
    private struct State: Sendable {
        var offered: [JobID] = []
        var firstOf: [UserID: ContinuousClock.Instant] = [:]
        var ended = 0
        var running: [SiteID: Int] = [:]
        var overlaps = 0
    }

    @Option var database: String
    @Option(help: "For keys and content.") var folder: String
    @Option var jobs = 5000
    @Option var sites = 500
    @Option(help: "Owners of the sites.") var users = 10
    @Option var workers = 100
    @Option(help: "How long a worker needs for a job, in milliseconds.") var work = 500

    func run() async throws {
        let database = try await BenchCoordinator.open(database)
        let coordinator = try await BenchCoordinator(database, folder: folder)
        var lines: [SiteID: [JobID]] = [:]
        var ownerOf: [SiteID: UserID] = [:]
        var order: [(site: SiteID, owner: Principal)] = []
        for _ in 0..<users {
            let owner = try await BenchCoordinator.makeUser(in: database)
            for site in try await coordinator.makeSites(sites / users, for: owner) {
                ownerOf[site] = owner.user
                order.append((site, owner))
            }
        }
        // One user after the other: the last ones come when all others have filled the line.
        for (site, owner) in order {
            for _ in 0..<(jobs / sites) {
                lines[site, default: []].append(try await coordinator.submit(to: site, for: owner))
            }
        }
        var hosts: [HostID] = []
        for _ in 0..<workers { hosts.append(try await BenchCoordinator.makeHost(in: database)) }
        let state = Shared(State())
        let siteOf = Dictionary(lines.flatMap { site, jobs in jobs.map { ($0, site) } }, uniquingKeysWith: { $1 })
        let total = siteOf.count
        let owners = ownerOf
        let began = ContinuousClock.now
        try await coordinator.running { [hosts, work] in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for host in hosts {
                    let worker = SimulatedWorker(
                        host: host, slots: 1, work: .milliseconds(work),
                        onOffer: { offer in
                            state.withLock { state in
                                state.offered.append(offer.lease.job)
                                if state.running[offer.site, default: 0] > 0 { state.overlaps += 1 }
                                state.running[offer.site, default: 0] += 1
                                if let owner = owners[offer.site], state.firstOf[owner] == nil {
                                    state.firstOf[owner] = .now
                                }
                            }
                        },
                        onEnd: { job in
                            state.withLock { state in
                                state.ended += 1
                                if let site = siteOf[job] { state.running[site, default: 1] -= 1 }
                            }
                        })
                    group.addTask { try await worker.run(on: coordinator.services) }
                }
                let deadline = ContinuousClock.now + .seconds(600)
                while state.withLock({ $0.ended }) < total, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(20))
                }
                group.cancelAll()
            }
        }
        let seconds = (ContinuousClock.now - began).inSeconds
        let (offered, first, ended, overlaps) = state.withLock { ($0.offered, $0.firstOf, $0.ended, $0.overlaps) }
        var seen: [SiteID: [JobID]] = [:]
        for job in offered { if let site = siteOf[job] { seen[site, default: []].append(job) } }
        let disordered = lines.filter { seen[$0.key] != $0.value }.count
        let slowest = first.values.map { ($0 - began).inSeconds }.max() ?? 0
        let ideal = Double(total) * Double(work) / 1000 / Double(workers)
        print(
            "{\"jobs\":\(total),\"ended\":\(ended),\"seconds\":\(seconds),\"ideal_seconds\":\(ideal),"
                + "\"sites_out_of_order\":\(disordered),\"two_at_once\":\(overlaps),"
                + "\"users_served\":\(first.count),\"slowest_first_seconds\":\(slowest)}")
    }
}
