package import Coordinator

/// The use cases that the API calls.
package struct RESTServices: Sendable {
    package let accounts: AccountService
    package let idempotency: IdempotencyService
    package let sites: SiteService
    package let edits: EditService
    package let conversations: ConversationService
    package let locks: SiteLockService
    package let acceptance: ChangeAcceptance
    package let comparison: VersionComparison
    package let pageChecks: PageCheckService
    package let pageLooks: PageLookService
    package let versionAcceptance: VersionAcceptance
    package let generations: GenerationService
    package let jobs: JobService
    package let versions: VersionService
    package let releases: ReleaseService
    package let hosts: HostService
    package let events: EventService
    package let audit: AuditService
    package let recovery: RecoveryService
    package let brakes: BrakeService
    package let engines: EngineService
    package let budgets: BudgetService
    package let rollouts: RolloutService
    package let placements: PlacementService
    package let backups: BackupRecords

    package init(accounts: AccountService, idempotency: IdempotencyService, coordinator: CoordinatorServices) {
        self.accounts = accounts
        self.idempotency = idempotency
        sites = coordinator.sites
        edits = coordinator.edits
        conversations = coordinator.conversations
        locks = coordinator.locks
        acceptance = coordinator.acceptance
        comparison = coordinator.comparison
        pageChecks = coordinator.pageChecks
        pageLooks = coordinator.pageLooks
        versionAcceptance = coordinator.versionAcceptance
        generations = coordinator.generations
        jobs = coordinator.jobs
        versions = coordinator.versions
        releases = coordinator.releases
        hosts = coordinator.hosts
        events = coordinator.events
        audit = coordinator.audit
        recovery = coordinator.recovery
        brakes = coordinator.brakes
        engines = coordinator.engines
        budgets = coordinator.budgets
        rollouts = coordinator.rollouts
        placements = coordinator.placements
        backups = coordinator.backups
    }
}
