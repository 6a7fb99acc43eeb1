import Database
import Domain
import Persistence

/// Puts together what an owner sees of a site.
struct SiteViewer: Sendable {
    let stores: Stores
    let settings: CoordinatorSettings

    func view(_ site: Site, in transaction: any SQLTransaction) async throws -> SiteView {
        try await views([site], in: transaction)[0]
    }

    /// One for each site, in their order. Asks the database once, for a page of sites as for one.
    ///
    /// - Parameter isLast: whether the caller reads, and nothing more after this.
    func views(
        _ sites: [Site], isLast: Bool = false, in transaction: any SQLTransaction
    ) async throws -> [SiteView] {
        guard !sites.isEmpty else { return [] }
        let ids = sites.map(\.id)
        let (placements, hosts, times, domains) = try await transaction.answers(
            stores.placements.list(of: ids), stores.hosts.hosts(of: ids), stores.versions.previewTimes(of: ids),
            stores.sites.domains(of: ids), isLast: isLast)
        let names = SiteNames(settings: settings)
        return sites.map { site in
            SiteView(
                site: site, domains: domains[site.id] ?? [], url: settings.url(of: names.live(of: site)),
                previewURL: settings.url(of: names.preview(of: site)),
                serving: (placements[site.id] ?? []).compactMap { Self.serving($0, on: hosts[$0.host]) },
                changedAt: times[site.id])
        }
    }

    private static func serving(_ placement: Placement, on host: Host?) -> ServingView? {
        guard let host, !host.state.isShutOut else { return nil }
        // Taken off this host, and the host has done so.
        if placement.isRemoved, placement.state == .applied { return nil }
        return ServingView(
            host: placement.host, hostName: host.name, generation: placement.generation,
            appliedGeneration: placement.appliedGeneration, state: placement.state, error: placement.error,
            fetchedFiles: placement.fetchedFiles, fetchedBytes: placement.fetchedBytes, updatedAt: placement.updatedAt)
    }
}
