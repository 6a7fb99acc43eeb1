package import Archives
package import Artifacts
package import Database
package import Domain
package import FleetIdentity
package import Logging
import Persistence
package import Queue

/// All use cases of one coordinator, put together once. Gateways get the ones that they need.
package struct CoordinatorServices: Sendable {
    package let events: EventService
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
    package let membership: HostMembership
    package let sessions: AgentSessions
    package let registry: SessionRegistry
    package let calls: OpenCalls
    package let exchange: BlobExchange
    package let desiredState: DesiredState
    package let dispatcher: JobDispatcher
    package let reaper: LeaseReaper
    package let lookout: Lookout
    package let presence: Presence
    /// For transactions that are short and many.
    package let grouped: GroupedDatabase
    package let ledger: JobLedger
    package let completions: JobCompletions
    package let audit: AuditService
    package let sealer: AuditSealer
    package let eventPruner: EventPruner
    package let stewardship: Stewardship
    package let recovery: RecoveryService
    package let brakes: BrakeService
    package let memoryWatch: MemoryWatch
    package let workers: WorkerPool
    package let engines: EngineService
    package let budgets: BudgetService
    package let placements: PlacementService
    package let placementKeeper: PlacementKeeper
    package let rollouts: RolloutService
    package let rolloutDriver: RolloutDriver
    package let backups: BackupRecords

    package init(
        database: any SQLDatabase, queue: any JobQueue, bus: any CoordinatorBus = SilentBus(), blobs: any BlobStore,
        reader: ArchiveReader,
        writer: ArchiveWriter, authority: CertificateAuthority, signer: VersionSigner, templates: [SiteTemplate],
        settings: CoordinatorSettings, sidecar: Sidecar? = nil, sealer: KeySealer = .ephemeral(),
        probe: (any ModelProbe)? = nil, clock: any WallClock, logger: Logger
    ) {
        let stores = Stores()
        let feed = EventFeed(store: stores.events, bus: bus)
        let manifests = ManifestCache(store: blobs)
        workers = WorkerPool(bus: bus)
        let ready = ReadyJobs(database: database, stores: stores, queue: queue, logger: logger)
        registry = SessionRegistry(bus: bus)
        calls = OpenCalls()
        stewardship = Stewardship(database: database, stores: stores, clock: clock, logger: logger)
        brakes = BrakeService(database: database, stores: stores, clock: clock, logger: logger)
        audit = AuditService(database: database, stores: stores)
        self.sealer = AuditSealer(audit: audit, stewardship: stewardship, logger: logger)
        eventPruner = EventPruner(
            database: database, stores: stores, stewardship: stewardship, clock: clock, logger: logger)
        desiredState = DesiredState(
            database: database, stores: stores, feed: feed, bus: bus, settings: settings, clock: clock,
            logger: logger)
        recovery = RecoveryService(
            database: database, stores: stores, sidecar: sidecar, registry: registry, desiredState: desiredState,
            clock: clock, logger: logger)
        memoryWatch = MemoryWatch(recovery: recovery, logger: logger)
        let surveys = FileSurveySource(blobs: blobs)
        let recorder = VersionRecorder(
            database: database, stores: stores, blobs: blobs, manifests: manifests,
            checker: ContentChecker(
                facts: FileFactsSource(database: database, store: stores.fileFacts, blobs: blobs), surveys: surveys,
                manifests: manifests),
            signer: signer, feed: feed)
        let ended = EndedAttempts()
        grouped = GroupedDatabase(database)
        ledger = JobLedger(
            database: database, grouped: grouped, stores: stores, ready: ready, feed: feed, ended: ended,
            settings: settings, sealer: sealer, clock: clock, logger: logger)
        engines = EngineService(
            database: database, stores: stores, workers: workers, sealer: sealer, probe: probe, clock: clock,
            logger: logger)
        budgets = BudgetService(database: database, stores: stores, clock: clock, logger: logger)
        dispatcher = JobDispatcher(
            ledger: ledger, queue: queue, ready: ready, workers: workers, settings: settings, logger: logger)
        reaper = LeaseReaper(
            database: database, stores: stores, ledger: ledger, workers: workers, registry: registry,
            stewardship: stewardship, recovery: recovery, settings: settings, clock: clock, logger: logger)
        lookout = Lookout(
            database: database, stores: stores, bus: bus, feed: feed, desiredState: desiredState, registry: registry,
            calls: calls, workers: workers, authority: authority, logger: logger)
        presence = Presence(
            database: database, stores: stores, registry: registry, workers: workers, clock: clock, logger: logger)
        placements = PlacementService(
            database: database, stores: stores, desiredState: desiredState, feed: feed, settings: settings,
            clock: clock, logger: logger)
        placementKeeper = PlacementKeeper(placements: placements, stewardship: stewardship, logger: logger)
        rollouts = RolloutService(
            database: database, stores: stores, registry: registry, feed: feed, clock: clock, logger: logger)
        rolloutDriver = RolloutDriver(rollouts: rollouts, stewardship: stewardship, logger: logger)
        backups = BackupRecords(database: database, stores: stores, feed: feed, clock: clock)
        events = EventService(database: database, stores: stores, feed: feed)
        sites = SiteService(
            database: database, stores: stores, versions: recorder, desiredState: desiredState, feed: feed,
            settings: settings, clock: clock, templates: templates, logger: logger)
        edits = EditService(
            database: database, stores: stores, ready: ready, workers: workers, feed: feed, settings: settings,
            clock: clock, logger: logger)
        conversations = ConversationService(database: database, stores: stores, workers: workers, clock: clock)
        locks = SiteLockService(database: database, stores: stores, clock: clock)
        acceptance = ChangeAcceptance(
            database: database, stores: stores, blobs: blobs, manifests: manifests, recorder: recorder,
            desiredState: desiredState, feed: feed, clock: clock, logger: logger)
        comparison = VersionComparison(
            database: database, stores: stores, blobs: blobs, manifests: manifests, surveys: surveys)
        let generationLedger = GenerationLedger(
            database: database, stores: stores, feed: feed, clock: clock, logger: logger)
        generations = GenerationService(
            database: database, stores: stores, versions: recorder, desiredState: desiredState, ready: ready,
            workers: workers, feed: feed, settings: settings, clock: clock, logger: logger)
        jobs = JobService(
            database: database, stores: stores, ready: ready, workers: workers, edits: edits,
            generations: generations, ledger: ledger,
            feed: feed, clock: clock, logger: logger)
        releases = ReleaseService(
            database: database, stores: stores, desiredState: desiredState, feed: feed, settings: settings,
            clock: clock, logger: logger)
        versions = VersionService(
            database: database, stores: stores, blobs: blobs, manifests: manifests, recorder: recorder,
            reader: reader, writer: writer, desiredState: desiredState, releases: releases, feed: feed, clock: clock,
            logger: logger)
        hosts = HostService(
            database: database, stores: stores, authority: authority, sessions: registry, calls: calls,
            workers: workers,
            ledger: ledger, feed: feed, settings: settings, clock: clock, logger: logger)
        membership = HostMembership(
            database: database, stores: stores, authority: authority, desiredState: desiredState, feed: feed,
            certificateLifetime: settings.certificateLifetime, clock: clock, logger: logger)
        completions = JobCompletions(
            database: database, grouped: grouped, stores: stores, blobs: blobs, manifests: manifests,
            recorder: recorder, ready: ready, desiredState: desiredState, generations: generationLedger, feed: feed,
            ended: ended, clock: clock, logger: logger)
        sessions = AgentSessions(
            database: database, stores: stores, registry: registry, workers: workers, dispatcher: dispatcher,
            ledger: ledger, generations: generationLedger, completions: completions, desiredState: desiredState,
            recovery: recovery, signer: signer,
            feed: feed,
            settings: settings, clock: clock, logger: logger)
        exchange = BlobExchange(
            database: database, stores: stores, blobs: blobs, manifests: manifests, clock: clock)
        pageChecks = PageCheckService(
            database: database, stores: stores, blobs: blobs, manifests: manifests, feed: feed, clock: clock,
            logger: logger)
        pageLooks = PageLookService(
            database: database, stores: stores, manifests: manifests, ready: ready, workers: workers, feed: feed,
            settings: settings, clock: clock, logger: logger)
        versionAcceptance = VersionAcceptance(
            database: database, stores: stores, feed: feed, clock: clock, logger: logger)
    }
}
