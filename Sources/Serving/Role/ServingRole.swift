package import AgentCore
package import Artifacts
package import BlockingIO
import Domain
package import Logging
package import Nginx
import ServiceLifecycle

/// Puts sites behind nginx and keeps them as the coordinator wants them.
///
/// It converges: each wanted state is a whole value with a generation, the newest wins, and what fails is tried again
/// while visitors go on seeing what they saw. Everything that it needs is on disk, so that it serves after a restart
/// before any coordinator answers, and for ever when none does.
package actor ServingRole: SessionParticipant, Service {
    let layout: ServingLayout
    let settings: ServingSettings
    let nginx: NginxController
    let blobs: DirectoryBlobStore
    let pool: BlockingPool
    let farm: SiteFarm
    let updater: SiteUpdater
    let verifier: TreeVerifier
    let logger: Logger
    /// Sites with something to do, each at most once, so the queue is as long as there are sites.
    private let queue: AsyncStream<SiteID>
    private let queueInput: AsyncStream<SiteID>.Continuation
    /// Lets one caller load, and keeps clean-up apart from those that begin to use a tree.
    let loading = AsyncSlots(1)
    let treeGate = AsyncSlots(1)

    var isLoaded = false
    var sites: [SiteID: TrackedSite] = [:]
    var outbox: (any AgentOutbox)?
    var versionKeys: [[UInt8]] = []
    /// The snapshot of this session that is arriving.
    var snapshot: DesiredSnapshot?
    /// Removals that the brake holds back.
    var heldRemovals: [SiteID: HeldRemoval] = [:]
    /// Trees that somebody works with now.
    var treesInUse: [ContentDigest: Int] = [:]
    /// Sites whose folders may have generations that nothing leads to.
    var touchedSites: Set<SiteID> = []
    var unusedSince = UnusedSince()
    /// The next of the 256 folders of blobs to look through.
    var nextBlobShard = 0
    /// The site that was read again last.
    var lastVerified: SiteID?

    /// Starts nothing. `verify` decides whether a version is the coordinator's; `observe` is for tests.
    package init(
        layout: ServingLayout, blobs: DirectoryBlobStore, transfer: any BlobTransfer, nginx: NginxController,
        settings: ServingSettings = ServingSettings(), pool: BlockingPool, logger: Logger,
        observe: @escaping ServingStepObserver = { _, _ in }, verify: @escaping VersionVerifier
    ) {
        self.layout = layout
        self.settings = settings
        self.nginx = nginx
        self.blobs = blobs
        self.pool = pool
        self.logger = logger
        let address = nginx.settings.listen[0].reachable
        farm = SiteFarm(
            layout: layout,
            probe: SiteProbe { host in try LoopbackRequest(to: address, host: host, timeout: .seconds(2)).perform() },
            observe: observe)
        updater = SiteUpdater(
            farm: farm,
            trees: TreeStore(layout: layout, blobs: blobs, transfer: transfer, pool: pool, observe: observe),
            verify: verify, pool: pool)
        verifier = TreeVerifier(layout: layout, blobs: blobs, transfer: transfer, pool: pool)
        (queue, queueInput) = AsyncStream.makeStream(of: SiteID.self)
    }

    /// nginx for these folders, with the address that visitors use.
    package static func nginxSettings(
        for layout: ServingLayout, listen: [NginxListenAddress], executable: String? = nil,
        mode: NginxSettings.Mode = .child, visitorRate: Int = 0
    ) -> NginxSettings {
        NginxSettings(
            mode: mode, executable: executable, directory: layout.nginx, domains: layout.domains, listen: listen,
            visitorRate: visitorRate)
    }

    /// Runs nginx and brings sites up to date until it is told to stop. Throws ``NginxError`` when nginx cannot be started.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await self.load()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.nginx.run() }
                group.addTask { await self.workThroughQueue() }
                group.addTask { await self.keepUp() }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// Reads what this host serves. Safe to call at any time and as often as one likes.
    package func load() async throws {
        try await loading.acquire()
        defer { loading.release() }
        guard !isLoaded else { return }
        let farm = farm
        let contents = try await pool.run { try farm.open() }
        for served in contents.sites { sites[served.desired.site, default: TrackedSite()].served = served }
        for (site, name) in contents.unreadable {
            sites[site, default: TrackedSite()].floor = name
            logger.error(
                "The record of a site cannot be read; it is served as it is until the coordinator says what it should be",
                metadata: ["site.id": "\(site)", "generation": "\(name.generation)"])
        }
        isLoaded = true
        logger.notice("Loaded what this host serves", metadata: ["sites": "\(contents.sites.count)"])
    }

    /// What nginx is doing; its number of reloads does not grow when sites change.
    package var nginxStatus: NginxStatus {
        get async { await nginx.status }
    }

    // MARK: The queue

    /// Puts a site into the queue unless it is there, or in work, already.
    func enqueue(_ site: SiteID) {
        guard var tracked = sites[site], !tracked.isBusy, tracked.wanted != nil || tracked.isForgotten else { return }
        tracked.isBusy = true
        sites[site] = tracked
        queueInput.yield(site)
    }

    private func workThroughQueue() async {
        let slots = AsyncSlots(settings.concurrentSites)
        await withDiscardingTaskGroup { group in
            for await site in queue {
                guard (try? await slots.acquire()) != nil else { return }
                group.addTask {
                    let retry = await self.work(on: site)
                    slots.release()
                    guard let retry, (try? await Task.sleep(for: retry.delay)) != nil else { return }
                    await self.retry(site, after: retry.attempt)
                }
            }
        }
    }
}
