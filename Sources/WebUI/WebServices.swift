package import Coordinator

/// The use cases that the pages call: the same as the API's.
package struct WebServices: Sendable {
    package let accounts: AccountService
    package let sites: SiteService
    package let edits: EditService
    package let jobs: JobService
    package let versions: VersionService
    package let releases: ReleaseService
    package let hosts: HostService
    package let events: EventService

    package init(accounts: AccountService, coordinator: CoordinatorServices) {
        self.accounts = accounts
        sites = coordinator.sites
        edits = coordinator.edits
        jobs = coordinator.jobs
        versions = coordinator.versions
        releases = coordinator.releases
        hosts = coordinator.hosts
        events = coordinator.events
    }
}
