import AgentCore
import BlockingIO
import Domain
import Nginx

/// Brings one site to a new generation, all steps in order. Knows nothing of sessions, queues and retries.
struct SiteUpdater: Sendable {
    let farm: SiteFarm
    let trees: TreeStore
    let verify: VersionVerifier
    let pool: BlockingPool

    /// Throws before anything has changed for visitors, or after it was put back.
    func update(
        to desired: DesiredSite, from previous: ServedSite?, keys: [[UInt8]], tally: TransferTally
    ) async throws -> ServedSite {
        let site = desired.site
        // What the host serves, or served a moment ago, was checked when it came.
        let known = Set((previous?.desired.trees ?? []) + (previous?.asked.trees ?? []))
        for tree in desired.trees where !known.contains(tree) {
            let statement = Version.statement(site: site, number: tree.number, digest: tree.digest)
            guard verify(statement, tree.signature, keys) else {
                throw ServiceError(
                    .validationFailed,
                    "the signature of version \(tree.number) is not the coordinator's; it is not served",
                    rule: "version-signature", nextStep: "Find out where this version comes from.")
            }
        }
        try farm.observe(.verified, site)
        // An edit begins with what the preview shows.
        let relatives =
            [previous?.desired.preview?.digest].compactMap(\.self) + (previous?.trees ?? [])
            + desired.trees.map(\.digest)
        for tree in desired.trees {
            try await trees.ensure(
                tree.digest, of: site, relatives: relatives.filter { $0 != tree.digest }, tally: tally)
        }
        try farm.observe(.treesReady, site)
        let total = tally.total
        let next = ServedSite(desired: desired, after: previous, fetchedFiles: total.files, fetchedBytes: total.bytes)
        let farm = farm
        try await pool.run { try farm.replace(previous, with: next) }
        return next
    }
}
