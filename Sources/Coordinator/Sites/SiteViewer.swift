import Database
import Domain
import Persistence

/// Puts together what an owner sees of a site.
struct SiteViewer: Sendable {
    let stores: Stores
    let settings: CoordinatorSettings

    func view(_ site: Site, in transaction: any SQLTransaction) async throws -> SiteView {
        let names = SiteNames(settings: settings)
        var serving: [ServingView] = []
        for placement in try await stores.placements.list(of: site.id, in: transaction) {
            let host = try await stores.hosts.find(placement.host, in: transaction)
            guard let host, !host.state.isShutOut else { continue }
            // Taken off this host, and the host has done so.
            if placement.isRemoved, placement.state == .applied { continue }
            serving.append(
                ServingView(
                    host: placement.host, hostName: host.name, generation: placement.generation,
                    appliedGeneration: placement.appliedGeneration, state: placement.state, error: placement.error,
                    fetchedFiles: placement.fetchedFiles,
                    fetchedBytes: placement.fetchedBytes, updatedAt: placement.updatedAt))
        }
        var changedAt: Timestamp?
        if let shown = site.preview {
            changedAt = try await stores.versions.creationTime(of: shown, of: site.id, in: transaction)
        }
        return SiteView(
            site: site, domains: try await stores.sites.domains(of: site.id, in: transaction),
            url: settings.url(of: names.live(of: site)), previewURL: settings.url(of: names.preview(of: site)),
            serving: serving, changedAt: changedAt)
    }
}
