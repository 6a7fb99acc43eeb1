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
            view(
                site, names: names, domains: domains[site.id] ?? [],
                serving: (placements[site.id] ?? []).compactMap { placement in
                    hosts[placement.host].flatMap { Self.serving(placement, on: $0.name, $0.state) }
                },
                changedAt: times[site.id])
        }
    }

    /// A page of a list with all that is shown on it, in one question to the database.
    func page(_ selection: SiteSelection, of database: any SQLDatabase) async throws -> Page<SiteView> {
        let (sites, placements, domains) = try await database.answers(
            selection.sites, selection.placements, selection.domains)
        let names = SiteNames(settings: settings)
        let views = sites.page.items.map { site in
            view(
                site, names: names, domains: domains[site.id] ?? [],
                serving: (placements[site.id] ?? []).compactMap {
                    Self.serving($0.placement, on: $0.hostName, $0.hostState)
                },
                changedAt: sites.changedAt[site.id])
        }
        return Page(items: views, nextCursor: sites.page.nextCursor)
    }

    private func view(
        _ site: Site, names: SiteNames, domains: [DomainName], serving: [ServingView], changedAt: Timestamp?
    ) -> SiteView {
        SiteView(
            site: site, domains: domains, url: settings.url(of: names.live(of: site)),
            previewURL: settings.url(of: names.preview(of: site)), serving: serving, changedAt: changedAt)
    }

    private static func serving(_ placement: Placement, on name: String, _ state: Host.State) -> ServingView? {
        guard !state.isShutOut else { return nil }
        // Taken off this host, and the host has done so.
        if placement.isRemoved, placement.state == .applied { return nil }
        return ServingView(
            host: placement.host, hostName: name, generation: placement.generation,
            appliedGeneration: placement.appliedGeneration, state: placement.state, error: placement.error,
            fetchedFiles: placement.fetchedFiles, fetchedBytes: placement.fetchedBytes, updatedAt: placement.updatedAt)
    }
}
