import ArgumentParser
import Coordinator
import Domain

/// How many grant + complete cycles a second the ledger does: jobs without content, in lines of their sites.
struct Cycles: AsyncParsableCommand {
    @Option var database: String
    @Option(help: "For keys and content.") var folder: String
    @Option var jobs = 4000
    @Option var sites = 64
    @Option(help: "How many are granted side by side.") var width = 16

    func run() async throws {
        let database = try await BenchCoordinator.open(database)
        let coordinator = try await BenchCoordinator(database, folder: folder)
        let owner = try await BenchCoordinator.makeUser(in: database)
        let host = try await BenchCoordinator.makeHost(in: database)
        let ids = try await coordinator.makeSites(sites, for: owner)
        var lines: [[JobID]] = Array(repeating: [], count: sites)
        for number in 0..<jobs {
            lines[number % sites].append(try await coordinator.submit(to: ids[number % sites], for: owner))
        }
        let services = coordinator.services
        let began = ContinuousClock.now
        let (grants, completions) = try await withThrowingTaskGroup(of: (Samples, Samples).self) { group in
            for worker in 0..<width {
                let mine = lines.enumerated().filter { $0.offset % width == worker }.map(\.element)
                group.addTask {
                    var (grants, completions) = (Samples(), Samples())
                    for turn in 0..<(mine.map(\.count).max() ?? 0) {
                        for line in mine where turn < line.count {
                            let start = ContinuousClock.now
                            guard let offer = try await services.ledger.grant(line[turn], to: host, able: [.builtin])
                            else { throw ServiceError(.internalError, "\(line[turn]) was not ready") }
                            let granted = ContinuousClock.now
                            let verdict = try await services.completions.complete(
                                BenchCoordinator.emptyResult(offer.lease), from: host)
                            guard verdict == .applied else { throw ServiceError(.internalError, "\(verdict)") }
                            grants.add(granted - start)
                            completions.add(.now - granted)
                        }
                    }
                    return (grants, completions)
                }
            }
            var (grants, completions) = (Samples(), Samples())
            for try await (some, others) in group {
                grants.add(some)
                completions.add(others)
            }
            return (grants, completions)
        }
        let seconds = (ContinuousClock.now - began).inSeconds
        print(
            "{\"cycles\":\(jobs),\"seconds\":\(seconds),\"per_second\":\(Double(jobs) / seconds),"
                + "\(grants.fields("grant")),\(completions.fields("complete"))}")
    }
}
