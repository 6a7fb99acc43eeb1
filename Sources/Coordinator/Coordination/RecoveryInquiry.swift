import Database
import Domain
import Persistence

/// Compares what one host has with what the database knows.
struct RecoveryInquiry: Sendable {
    struct Result: Sendable {
        var finds: [RecoveryFind] = []
        /// Whether this shows that the database forgot something. What was accepted before shows nothing any more.
        var isEvidence = false
    }

    let stores: Stores
    let host: HostID
    let now: Timestamp

    func finds(in hello: AgentMessage.Hello, in transaction: any SQLTransaction) async throws -> Result {
        var result = Result()
        let incarnation = try await stores.installation.find(in: transaction).incarnation
        try await look(at: hello.inventory, incarnation, &result, in: transaction)
        try await look(at: hello.leases, incarnation, &result, in: transaction)
        return result
    }

    private func look(
        at inventory: [SiteStatus], _ incarnation: Incarnation, _ result: inout Result,
        in transaction: any SQLTransaction
    ) async throws {
        guard !inventory.isEmpty else { return }
        let desired = Dictionary(
            uniqueKeysWithValues: try await stores.placements.list(on: host, in: transaction).map {
                ($0.site, $0.generation)
            })
        for status in inventory {
            // Almost always the host is not ahead, and then its versions are known too.
            if let generation = desired[status.site], status.generation <= generation { continue }
            let isLate = Incarnation(ofGeneration: status.generation) < incarnation
            if let highest = try await stores.placements.highestGeneration(of: status.site, in: transaction) {
                // A machine that joined again carries what it served under its old name.
                guard status.generation > highest else { continue }
                result.finds.append(find(.generation, status.site, status.generation, status.digest))
                if !isLate { result.isEvidence = true }
            } else {
                guard try await !stores.sites.exists(status.site, in: transaction) else { continue }
                result.finds.append(find(.site, status.site, status.generation, status.digest))
            }
            for tree in status.trees {
                let known = try await stores.versions.find(tree.number, of: status.site, in: transaction)
                guard known?.digest != tree.digest else { continue }
                result.finds.append(find(.version, status.site, Int64(tree.number.rawValue), tree.digest))
            }
        }
    }

    private func look(
        at leases: [JobLease], _ incarnation: Incarnation, _ result: inout Result,
        in transaction: any SQLTransaction
    ) async throws {
        for lease in leases {
            let isLate = Incarnation(rawValue: lease.fence.incarnation) < incarnation
            let kind: RecoveryFind.Kind
            var site: SiteID?
            if let record = try await stores.jobs.find(lease.job, in: transaction) {
                site = record.job.site
                guard let fence = try await stores.sites.fence(of: record.job.site, in: transaction),
                    lease.fence > fence || lease.attempt > record.job.attempt
                else { continue }
                kind = .lease
            } else {
                kind = .job
            }
            result.finds.append(
                RecoveryFind(
                    host: host, kind: kind, subject: lease.job.text, site: site,
                    number: kind == .lease ? lease.fence.rawValue : Int64(lease.attempt), digest: nil, foundAt: now))
            if !isLate { result.isEvidence = true }
        }
    }

    private func find(
        _ kind: RecoveryFind.Kind, _ site: SiteID, _ number: Int64, _ digest: ContentDigest
    ) -> RecoveryFind {
        RecoveryFind(
            host: host, kind: kind, subject: site.text, site: site, number: number, digest: digest, foundAt: now)
    }
}
