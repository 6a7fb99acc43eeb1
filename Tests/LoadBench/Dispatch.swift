import ArgumentParser
import Coordinator
import Domain

/// How long a job waits for a worker: from the commit at one coordinator to the offer at the worker, which has its session
/// with another.
struct Dispatch: AsyncParsableCommand {
    private struct State: Sendable {
        var accepted: [JobID: ContinuousClock.Instant] = [:]
        var offered: [JobID: ContinuousClock.Instant] = [:]
        var ended = 0
    }

    @Option var database: String
    @Option(help: "For keys and content.") var folder: String
    @Option(help: "The address of Redis; without it no coordinator hears of the other.") var redis: String?
    @Option(help: "Jobs a second.") var rate = 200
    @Option var seconds = 20
    @Option var sites = 400
    @Option var workers = 20

    func run() async throws {
        let database = try await BenchCoordinator.open(database)
        let asked = try await BenchCoordinator(database, folder: folder, redis: redis)
        let serving = try await BenchCoordinator(database, folder: folder, redis: redis)
        let owner = try await BenchCoordinator.makeUser(in: database)
        let ids = try await asked.makeSites(sites, for: owner)
        var hosts: [HostID] = []
        for _ in 0..<workers { hosts.append(try await BenchCoordinator.makeHost(in: database)) }
        let state = Shared(State())
        let total = rate * seconds
        try await asked.running { [hosts, rate, sites] in
            try await serving.running {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for host in hosts {
                        let worker = SimulatedWorker(
                            host: host, slots: 16, work: .zero,
                            onOffer: { offer in state.withLock { $0.offered[offer.lease.job] = .now } },
                            onEnd: { _ in state.withLock { $0.ended += 1 } })
                        group.addTask { try await worker.run(on: serving.services) }
                    }
                    try await Task.sleep(for: .seconds(3))
                    let start = ContinuousClock.now
                    // Submissions overlap: one that waits does not hold up the rate.
                    try await withThrowingTaskGroup(of: Void.self) { submissions in
                        for number in 0..<total {
                            try await Task.sleep(until: start + Duration.seconds(1) * number / rate)
                            submissions.addTask {
                                let job = try await asked.submit(to: ids[number % sites], for: owner)
                                state.withLock { $0.accepted[job] = .now }
                            }
                        }
                        try await submissions.waitForAll()
                    }
                    let deadline = ContinuousClock.now + .seconds(120)
                    while state.withLock({ $0.ended }) < total, ContinuousClock.now < deadline {
                        try await Task.sleep(for: .milliseconds(50))
                    }
                    group.cancelAll()
                }
            }
        }
        var waits = Samples()
        let (accepted, offered, ended) = state.withLock { ($0.accepted, $0.offered, $0.ended) }
        for (job, instant) in accepted {
            if let offer = offered[job] { waits.add(max(.zero, offer - instant)) }
        }
        print(
            "{\"jobs\":\(total),\"ended\":\(ended),\"hints\":\(redis != nil),\(waits.fields("dispatch"))}")
    }
}
