package import Coordinator

/// The use cases that the pages call: the same as the API's.
package struct WebServices: Sendable {
    package let accounts: AccountService
    package let idempotency: IdempotencyService
    package let sites: SiteService
    package let edits: EditService
    package let jobs: JobService
    package let versions: VersionService
    package let releases: ReleaseService
    package let hosts: HostService
    package let events: EventService
    package let audit: AuditService
    package let recovery: RecoveryService
    package let brakes: BrakeService
    /// What the coordinator needs in order to work, and how that is.
    package let health: @Sendable () async -> [HealthCheck]
    package let generations: GenerationService
    package let engines: EngineService
    package let budgets: BudgetService
    package let acceptance: ChangeAcceptance
    package let comparison: VersionComparison
    package let pageChecks: PageCheckService
    package let pageLooks: PageLookService
    package let versionAcceptance: VersionAcceptance

    package init(
        accounts: AccountService, idempotency: IdempotencyService, coordinator: CoordinatorServices,
        health: @escaping @Sendable () async -> [HealthCheck] = { [] }
    ) {
        self.accounts = accounts
        self.idempotency = idempotency
        self.health = health
        sites = coordinator.sites
        edits = coordinator.edits
        jobs = coordinator.jobs
        versions = coordinator.versions
        releases = coordinator.releases
        hosts = coordinator.hosts
        events = coordinator.events
        audit = coordinator.audit
        recovery = coordinator.recovery
        generations = coordinator.generations
        engines = coordinator.engines
        budgets = coordinator.budgets
        acceptance = coordinator.acceptance
        comparison = coordinator.comparison
        pageChecks = coordinator.pageChecks
        pageLooks = coordinator.pageLooks
        versionAcceptance = coordinator.versionAcceptance
        brakes = coordinator.brakes
    }
}
