import Domain

/// Numbers that are the same in every run of a seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One value of each kind, with every field filled.
enum Samples {
    static let now = Timestamp(millisecondsSinceEpoch: 1_795_000_000_000)
    static let site = SiteID(at: now)
    static let lease: JobLease = {
        var generator = SeededGenerator(seed: 7)
        return JobLease(
            job: JobID(at: now, using: &generator), attempt: 3, token: LeaseToken(using: &generator),
            fence: Fence(incarnation: 2).next)
    }()
    static let digest = ContentDigest(String(repeating: "1b", count: 32))!
    static let other = ContentDigest(String(repeating: "c0", count: 32))!
    static let entries = [
        Manifest.Entry(path: try! SitePath("index.html"), sizeInBytes: 12, digest: digest),
        Manifest.Entry(path: try! SitePath("bilder/größe.png"), sizeInBytes: 0, digest: other),
    ]
    static let delta = ManifestDelta(upserts: entries, removals: [try! SitePath("old/page.html")])
    static let usage = TokenUsage(uncachedInput: 1, cachedInput: 2, output: 3)

    static let generationStep = GenerationStep(
        name: .copy, page: "de/menu", round: 0, input: "{\"a\":\"ö\"}", output: "{}", usage: usage, milliseconds: 12)

    static let looks: [JobCompletion.Look] = [.none, .follows, .impossible("no browser")]

    static let completions: [JobCompletion] = [
        JobCompletion(
            lease: lease, outcome: .succeeded(changes: delta, digest: digest), summary: "Made it", usage: usage,
            steps: [generationStep, GenerationStep(name: .repair, round: 2, input: "{}", output: "{}")]),
        JobCompletion(
            lease: lease, outcome: .succeeded(changes: delta, digest: digest), summary: "Did it", usage: usage),
        JobCompletion(
            lease: lease, outcome: .failed(JobFailure(kind: .task, code: "engine-failed", message: "No.")),
            summary: "", usage: .zero),
        JobCompletion(
            lease: lease, outcome: .failed(JobFailure(kind: .infrastructure, code: "disk", message: "Full.")),
            summary: "", usage: .zero),
        JobCompletion(lease: lease, outcome: .cancelled, summary: "", usage: usage),
    ]

    static let statuses: [SiteStatus] = [
        SiteStatus(
            site: site, generation: 9, digest: digest, condition: .applied, fetchedFiles: 4, fetchedBytes: 1 << 40),
        SiteStatus(site: site, generation: 9, digest: digest, condition: .refused(reason: "nginx said no")),
    ]

    static let agentMessages: [AgentMessage] =
        [
            .hello(
                .init(
                    agentVersion: "1.2.3", roles: [.worker, .serving], bootID: "b", leases: [lease],
                    inventory: statuses, engines: [.builtin, .codex, .browser])),
            .heartbeat(leases: [lease, lease], diskFreeBytes: 5, diskTotalBytes: 6), .credit(slots: 4),
            .accept(lease), .reject(lease, reason: "busy"), .progress(lease, step: "Editing", percent: 40),
            .step(lease, generationStep),
            .log(lease, text: "line\n", droppedBytes: 12),
        ] + completions.map { .complete($0) } + statuses.map { .siteStatus($0) } + [
            .condition(HostCondition(level: .degraded, problem: "The disk is nearly full.", isDrained: true)),
            .condition(HostCondition(level: .ok)),
            .upgradeReport(UpgradeReport(order: "rollout-to", outcome: .reverted, detail: "It did not come up.")),
        ]

    static let tree = DesiredSite.Tree(
        number: VersionNumber(unchecked: 12), digest: digest, signature: [UInt8](repeating: 9, count: 64))
    static let desired: [DesiredSite] = [
        DesiredSite(
            site: site, generation: 42, live: tree, preview: tree, previous: tree,
            liveNames: [try! DomainName("www.example.org"), try! DomainName("example.org")],
            previewNames: [try! DomainName("preview.example.org")], maintenance: ""),
        DesiredSite(
            site: site, generation: 45, live: tree,
            addresses: try! AddressRules(mode: .spa, missingPage: "errors/lost.html")),
        DesiredSite(site: site, generation: 43), DesiredSite(site: site, generation: 44, isRemoved: true),
    ]

    static let coordinatorMessages: [CoordinatorMessage] = [
        .welcome(
            .init(
                sessionEpoch: 8, heartbeatInterval: .seconds(10), leaseDuration: .seconds(60),
                coordinatorVersion: "1.0", versionKeys: [[UInt8](repeating: 1, count: 32)])),
        .offer(
            JobOffer(
                lease: lease, site: site, kind: .edit, leaseDuration: .seconds(60), base: digest, engine: .codex,
                prompt: "Größer, bitte", limits: .init())),
        .offer(
            JobOffer(
                lease: lease, site: site, kind: .edit, leaseDuration: .seconds(60), base: digest, engine: .model,
                prompt: "Bigger", limits: .init(),
                model: ModelAccess(
                    endpoint: ModelEndpoint(
                        provider: .openAIChat, baseURL: "https://models.example.org/v1",
                        authorizationName: "authorization", authorizationValue: "Bearer sk-1"), model: "large-1",
                    tokenBudget: 5000, answerTimeout: .seconds(30)), replay: [1, 2, 3], conversation: "conv_1",
                continuation: "Bigger")),
        .offer(
            JobOffer(
                lease: lease, site: site, kind: .generate, leaseDuration: .seconds(60), base: digest,
                engine: .builtin, prompt: "Make it", limits: .init(), generation: "{\"brief\":{}}")),
        .offer(
            JobOffer(
                lease: lease, site: site, kind: .look, leaseDuration: .seconds(60), base: digest, engine: .browser,
                prompt: "Take pictures of version 1", limits: .init(),
                lookPages: [try! SitePath("index.html"), try! SitePath("bilder/größe.html")])),
        .cancel(lease), .leaseLost(lease), .renewed([]), .renewed([lease]), .verdict(lease, .applied),
        .verdict(lease, .duplicate), .verdict(lease, .stale), .desired(desired, .whole),
        .desired(desired, .snapshot(index: 3, isLast: false)),
        .desired([], .change), .goAway(reason: "restart", delay: .milliseconds(1500)),
        .goAway(reason: "", delay: .zero), .renewCertificate,
        .upgrade(UpgradeOrder(id: "rollout-to", version: try! ProgramVersionText("1.2.0-1~deb12"))),
    ]
}
