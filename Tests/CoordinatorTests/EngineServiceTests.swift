import Database
import Domain
import Logging
import Persistence
import Queue
import Synchronization
import Testing

@testable import Coordinator

@Suite struct EngineServiceTests {
    private static func change(_ body: (inout EngineChange) -> Void) -> EngineChange {
        var change = EngineChange()
        body(&change)
        return change
    }

    /// A model with a key, for the engine `model`.
    static func configure(_ system: Installation, key: String = "sk-very-secret-1234") async throws {
        _ = try await system.services.engines.change(
            "model",
            change {
                $0.provider = "anthropic-messages"
                $0.largeModel = "large-1"
                $0.smallModel = "small-1"
                $0.key = key
                $0.inputPrice = 3_000_000
            }, for: system.admin)
    }

    /// Lets a host take an edit with the engine `model`.
    static func grant(
        _ system: Installation, _ site: SiteID, _ host: HostID, prompt: String = "Make it red", isFresh: Bool = false,
        baseVersion: Int? = nil
    ) async throws -> JobOffer {
        let job = try await system.services.edits.submit(
            prompt: prompt, engine: "model", baseVersion: baseVersion, isFresh: isFresh, to: site.text,
            for: system.admin
        ).job.job.id
        return try await grant(system, job, host)
    }

    static func grant(_ system: Installation, _ job: JobID, _ host: HostID) async throws -> JobOffer {
        let offer = try #require(try await system.services.ledger.grant(job, to: host, able: [.model, .builtin]))
        #expect(try await system.services.ledger.accept(offer.lease, from: host))
        return offer
    }

    /// What a worker says that put `page` in the place of the home page of version `base`.
    static func completion(
        _ system: Installation, _ offer: JobOffer, page: String, base: Int = 1, transcript: String = "",
        usage: TokenUsage = TokenUsage(uncachedInput: 900, cachedInput: 100, output: 50)
    ) async throws -> JobCompletion {
        let digest = try await system.blobs.put(Array(page.utf8))
        let manifest = try await system.services.versions.manifest(base, of: offer.site.text, for: system.admin)
            .manifest
        let changes = ManifestDelta(
            upserts: [
                Manifest.Entry(
                    path: try SitePath("index.html"), sizeInBytes: Int64(page.utf8.count), digest: digest)
            ], removals: [])
        return JobCompletion(
            lease: offer.lease, outcome: .succeeded(changes: changes, digest: try changes.applied(to: manifest).digest),
            summary: "Done", usage: usage, transcript: Array(transcript.utf8))
    }

    static func failed(_ offer: JobOffer, _ failure: JobFailure, usage: TokenUsage = .zero) -> JobCompletion {
        JobCompletion(lease: offer.lease, outcome: .failed(failure), summary: "", usage: usage)
    }

    static func state(_ system: Installation, _ job: JobID) async throws -> JobView {
        try await system.services.jobs.find(job, for: system.admin)
    }

    private static let red = Installation.page + "<!-- red -->\n"

    @Test("Only admins see and change engines")
    func admins() async throws {
        try await Installation.with { system in
            let guest = try await system.user("guest")
            await #expect(throws: ServiceError.self) { try await system.services.engines.list(for: guest) }
            await #expect(throws: ServiceError.self) {
                try await system.services.engines.change("model", EngineChange(), for: guest)
            }
            await #expect(throws: ServiceError.self) {
                try await system.services.budgets.set("day", tokens: 1, money: nil, minutes: nil, for: guest)
            }
        }
    }

    @Test("A key is nowhere in the database, and nothing that is shown has it")
    func sealed() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let shown = try await system.services.engines.find("model", for: system.admin)
            #expect(shown.setting?.keyHint == "…1234")
            #expect(!"\(shown)".contains("very-secret"))
            try await system.database.read { transaction in
                for table in Schema.tables() {
                    for row in try await transaction.query("SELECT * FROM \(table.name)") {
                        #expect(!"\(row.values)".contains("very-secret"), "\(table.name)")
                    }
                }
            }
            #expect(try await system.auditRows()["engine.configured"] == 1)
        }
    }

    @Test("A sealed key opens for its own engine only, and not when it was changed")
    func sealer() throws {
        let sealer = KeySealer(key: [UInt8](repeating: 1, count: 32))
        let sealed = try sealer.seal("secret", for: .model)
        #expect(try sealer.open(sealed, for: .model) == "secret")
        #expect(try sealer.seal("secret", for: .model) != sealed, "each sealing has its own number")
        #expect(throws: ServiceError.self) { try sealer.open(sealed, for: .codex) }
        #expect(throws: ServiceError.self) {
            try KeySealer(key: [UInt8](repeating: 2, count: 32)).open(sealed, for: .model)
        }
        let changed = (sealed.last == "0" ? "1" : "0")
        #expect(throws: ServiceError.self) { try sealer.open(String(sealed.dropLast()) + changed, for: .model) }
    }

    @Test("A key is never sent to an address that it was not given for")
    func keyForAddress() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let refusal = await #expect(throws: ServiceError.self) {
                try await system.services.engines.change(
                    "model", Self.change { $0.baseURL = "https://elsewhere.example.org/v1" }, for: system.admin)
            }
            #expect(refusal?.rule == "key-for-address")
            _ = try await system.services.engines.change(
                "model",
                Self.change {
                    $0.baseURL = "https://elsewhere.example.org/v1"
                    $0.key = "another-key-12345"
                }, for: system.admin)
        }
    }

    @Test("A small request is offered with the small model, another with the large one, and with the opened key")
    func offers() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let small = try await Self.grant(system, try await system.site("one"), host)
            #expect(small.model?.model == "small-1")
            #expect(small.model?.endpoint.authorizationName == "x-api-key")
            #expect(small.model?.endpoint.authorizationValue == "sk-very-secret-1234")
            #expect(small.model?.endpoint.baseURL == "https://api.anthropic.com/v1")
            let large = try await Self.grant(
                system, try await system.site("two"), host, prompt: "Add a page about our history")
            #expect(large.model?.model == "large-1")
            #expect(try await Self.state(system, large.lease.job).model == "large-1")
        }
    }

    @Test("An edit takes the engine that it names, or the site's, or the installation's")
    func choice() async throws {
        try await Installation.with { system in
            let site = try await system.site("one")
            func submit(_ engine: String?) async throws -> EngineName {
                try await system.services.edits.submit(
                    prompt: "Do it", engine: engine, baseVersion: nil, to: site.text, for: system.admin
                ).edit.engine
            }
            #expect(try await submit(nil) == .builtin)
            let view = try await system.services.sites.setEngine("claude", of: site.text, for: system.admin)
            #expect(view.site.engine == .claude)
            #expect(try await submit(nil) == .claude)
            #expect(try await submit("model") == .model)
            _ = try await system.services.sites.setEngine(nil, of: site.text, for: system.admin)
            #expect(try await submit(nil) == .builtin)
        }
    }

    @Test("What an edit used is in the ledger with its price; a failed one is not charged")
    func ledger() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let offer = try await Self.grant(system, site, host)
            system.clock.advance(by: .seconds(90))
            let done = try await Self.completion(system, offer, page: Self.red)
            #expect(try await system.services.completions.complete(done, from: host) == .applied)
            let entry = try #require(
                try await system.services.budgets.usage(of: offer.lease.job, for: system.admin).first)
            #expect(entry.isCharged && entry.money == 2700 && entry.seconds == 90 && entry.model == "small-1")
            let failing = try await Self.grant(system, site, host, prompt: "Make it blue")
            let failure = Self.failed(
                failing, JobFailure(kind: .task, code: "no", message: "No."),
                usage: TokenUsage(uncachedInput: 5000, cachedInput: 0, output: 0))
            _ = try await system.services.completions.complete(failure, from: host)
            let uncharged = try await system.services.budgets.usage(of: failing.lease.job, for: system.admin)
            #expect(uncharged.map(\.isCharged) == [false])
            let views = try await system.services.budgets.show(site: site.text, for: system.admin)
            #expect(views.map(\.spent.tokens) == [1050, 1050])
        }
    }

    @Test("An engine that is switched off gets no work, and asking again asks again for what was asked")
    func switchedOff() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let site = try await system.site("one")
            let asked = try await system.services.edits.submit(
                prompt: "Red", engine: "model", baseVersion: nil, isFresh: true, to: site.text, for: system.admin)
            _ = try await system.services.jobs.cancel(asked.job.job.id, for: system.admin)
            let again = try await system.services.jobs.retry(asked.job.job.id, for: system.admin)
            let edit = try await system.database.read { try await system.stores.edits.find(job: again.job.id, in: $0) }
            #expect(edit?.isFresh == true)
            _ = try await system.services.engines.change(
                "model", Self.change { $0.isEnabled = false }, for: system.admin)
            let refusal = await #expect(throws: ServiceError.self) {
                try await system.services.edits.submit(
                    prompt: "Blue", engine: "model", baseVersion: nil, to: site.text, for: system.admin)
            }
            #expect(refusal?.rule == "engine-disabled")
        }
    }

    @Test("A text that was written while an edit ran stays in the preview; the edit's version is kept beside it")
    func written() async throws {
        try await Installation.with { system in
            let host = try await system.host()
            let site = try await system.site("one")
            let lease = try await system.lease(try await system.edit(site), to: host)
            let completion = try await system.completion(lease, of: site, page: Self.red)
            let text = try await system.services.versions.write(
                TextChange(path: "index.html", old: "Hello", index: 0, new: "Good morning"), into: 1, of: site.text,
                for: system.admin)
            #expect(try await system.services.completions.complete(completion, from: host) == .applied)
            let shown = try await system.services.sites.find(site.text, for: system.admin).site.preview
            #expect(shown == text.version.number)
            let versions = try await system.services.versions.list(
                of: site.text, page: try PageRequest(), for: system.admin)
            #expect(versions.items.count == 3)
        }
    }

    @Test("A used-up budget refuses the next edit by its name, and only one that asks a model")
    func budget() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            _ = try await system.services.budgets.set("day", tokens: 1000, money: nil, minutes: nil, for: system.admin)
            let offer = try await Self.grant(system, site, host)
            _ = try await system.services.completions.complete(
                try await Self.completion(system, offer, page: Self.red), from: host)
            let refusal = await #expect(throws: ServiceError.self) {
                try await system.services.edits.submit(
                    prompt: "More", engine: "model", baseVersion: nil, to: site.text, for: system.admin)
            }
            #expect(refusal?.code == .quotaExceeded)
            #expect(refusal?.rule == "budget-day")
            let brief = try SiteBrief(
                businessName: "Anna's Bakery", type: "bakery", description: "We bake bread.", goals: ["People come by"])
            let whole = await #expect(throws: ServiceError.self) {
                try await system.services.generations.generate(
                    brief, slug: "bakery", engine: "model", reviewsPlan: false, for: system.admin)
            }
            #expect(whole?.rule == "budget-day")
            _ = try await system.edit(site)
            system.clock.advance(by: .seconds(86_401))
            _ = try await system.services.edits.submit(
                prompt: "More", engine: "model", baseVersion: nil, to: site.text, for: system.admin)
        }
    }

    @Test("An attempt may use what the edit's budget has left, and a used-up one ends the job")
    func editBudget() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            _ = try await system.services.budgets.set("edit", tokens: 1000, money: nil, minutes: nil, for: system.admin)
            let first = try await Self.grant(system, site, host)
            #expect(first.model?.tokenBudget == 1000)
            let used = TokenUsage(uncachedInput: 600, cachedInput: 0, output: 0)
            _ = try await system.services.completions.complete(
                Self.failed(first, .modelUnavailable("x"), usage: used), from: host)
            let second = try await Self.grant(system, first.lease.job, host)
            #expect(second.model?.tokenBudget == 400)
            _ = try await system.services.completions.complete(
                Self.failed(second, .modelUnavailable("x"), usage: used), from: host)
            guard case .failed(let failure) = try await Self.state(system, first.lease.job).job.state else {
                Issue.record("it is tried again")
                return
            }
            #expect(failure.code == "budget-edit")
        }
    }

    @Test("The same error twice ends the job; a busy model is asked once more")
    func loop() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let garbage = JobFailure(kind: .infrastructure, code: "model-garbage", message: "It said 12 things.")
            let first = try await Self.grant(system, site, host)
            _ = try await system.services.completions.complete(Self.failed(first, garbage), from: host)
            let second = try await Self.grant(system, first.lease.job, host)
            let again = JobFailure(kind: .infrastructure, code: "model-garbage", message: "It said 7 things.")
            _ = try await system.services.completions.complete(Self.failed(second, again), from: host)
            guard case .failed(let failure) = try await Self.state(system, first.lease.job).job.state else {
                Issue.record("it is tried again")
                return
            }
            #expect(failure.code == "same-error-twice")
            #expect(failure.message.contains("It said 7 things."))

            let busy = try await Self.grant(system, site, host, prompt: "Make it blue")
            for attempt in 1...2 {
                let offer = attempt == 1 ? busy : try await Self.grant(system, busy.lease.job, host)
                _ = try await system.services.completions.complete(
                    Self.failed(offer, .modelUnavailable("x")), from: host)
                #expect(try await Self.state(system, busy.lease.job).job.stateName == .ready)
            }
        }
    }

    @Test("The same request on the same content is answered from what was kept, with 0 tokens")
    func cache() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let first = try await Self.grant(system, site, host)
            #expect(first.replay.isEmpty)
            _ = try await system.services.completions.complete(
                try await Self.completion(system, first, page: Self.red, transcript: "kept\n"), from: host)
            // The same words about the same content, in another site of the same owner.
            let other = try await system.site("two")
            let second = try await Self.grant(system, other, host, prompt: " Make  it red ")
            #expect(second.replay == Array("kept\n".utf8))
            #expect(second.model?.endpoint.authorizationValue == "")
            _ = try await system.services.completions.complete(
                try await Self.completion(system, second, page: Self.red), from: host)
            let view = try await Self.state(system, second.lease.job)
            #expect(view.isFromCache && view.usage == .zero)
            let third = try await system.site("three")
            #expect(try await Self.grant(system, third, host, isFresh: true).replay.isEmpty)
            let foreign = try await system.site("four", of: try await system.user("guest"))
            #expect(try await Self.grant(system, foreign, host).replay.isEmpty, "it is another owner's")
        }
    }

    @Test("A kept answer that does not fit any more is forgotten, and the model is asked")
    func staleCache() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let first = try await Self.grant(system, site, host)
            _ = try await system.services.completions.complete(
                try await Self.completion(system, first, page: Self.red, transcript: "kept\n"), from: host)
            let second = try await Self.grant(system, try await system.site("two"), host)
            #expect(!second.replay.isEmpty)
            let diverged = JobFailure(kind: .task, code: "replay-diverged", message: "It does not fit.")
            _ = try await system.services.completions.complete(Self.failed(second, diverged), from: host)
            let third = try await Self.grant(system, second.lease.job, host)
            #expect(third.replay.isEmpty)
            #expect(third.model?.endpoint.authorizationValue == "sk-very-secret-1234")
        }
    }

    @Test("The cache keeps what was used last, and transcripts have a limit together")
    func bounds() async throws {
        try await Installation.with { system in
            let site = try await system.site("one")
            let stores = Stores()
            var jobs: [JobID] = []
            for _ in 0..<4 { jobs.append(try await system.edit(site)) }
            let keys = (0..<4).map { ContentDigest(String(repeating: "\($0)", count: 64))! }
            let made = jobs
            try await system.database.withTransaction { transaction in
                for (index, job) in made.enumerated() {
                    let at = Timestamp(millisecondsSinceEpoch: Int64(index))
                    try await stores.transcripts.save(
                        [UInt8](repeating: 1, count: 100), of: job, at: at, in: transaction)
                    try await stores.cache.save(keys[index], job: job, at: at, capacity: 3, in: transaction)
                }
                #expect(try await stores.cache.find(keys[0], in: transaction) == nil)
                #expect(try await stores.cache.find(keys[3], in: transaction) == made[3])
                try await stores.transcripts.trim(to: 250, in: transaction)
                #expect(try await stores.transcripts.find(made[1], in: transaction) == nil)
                #expect(try await stores.transcripts.find(made[2], in: transaction)?.count == 100)
                #expect(try await stores.cache.find(keys[1], in: transaction) == nil)
            }
        }
    }

    @Test("A replay follows the transcript, succeeds when it comes to the same, and makes no version")
    func replay() async throws {
        try await Installation.with { system in
            try await Self.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let first = try await Self.grant(system, site, host)
            await #expect(throws: ServiceError.self) {
                try await system.services.edits.replay(first.lease.job, for: system.admin)
            }
            _ = try await system.services.completions.complete(
                try await Self.completion(system, first, page: Self.red, transcript: "kept\n"), from: host)
            let guest = try await system.user("guest")
            await #expect(throws: ServiceError.self) {
                try await system.services.edits.replay(first.lease.job, for: guest)
            }
            let replay = try await system.services.edits.replay(first.lease.job, for: system.admin)
            #expect(replay.job.kind == .replay)
            #expect(try await system.auditRows()["replay.accepted"] == 1)
            let offer = try await Self.grant(system, replay.job.id, host)
            #expect(offer.replay == Array("kept\n".utf8) && offer.base == first.base)
            _ = try await system.services.completions.complete(
                try await Self.completion(system, offer, page: Self.red), from: host)
            let done = try await Self.state(system, replay.job.id)
            #expect(done.job.state == .succeeded(VersionNumber(unchecked: 2)))
            let view = try await system.services.sites.find(site.text, for: system.admin)
            #expect(view.site.lastVersion == VersionNumber(unchecked: 2))

            let other = try await system.services.edits.replay(first.lease.job, for: system.admin)
            let wrong = try await Self.grant(system, other.job.id, host)
            _ = try await system.services.completions.complete(
                try await Self.completion(system, wrong, page: Installation.page + "<!-- x -->"), from: host)
            guard case .failed(let failure) = try await Self.state(system, other.job.id).job.state else {
                Issue.record("it was believed")
                return
            }
            #expect(failure.code == "replay-differs")
            #expect(
                try await system.services.edits.list(of: site.text, page: try PageRequest(), for: system.admin).items
                    .count == 1)
        }
    }

    private final class Probe: ModelProbe {
        let asked = Mutex<[String]>([])
        func ask(_ access: ModelAccess) async throws {
            asked.withLock { $0.append("\(access.model) \(access.endpoint.authorizationValue)") }
            if access.model == "small-1" { throw ServiceError(.unavailable, "it does not know the model") }
        }
    }

    @Test("A test asks every model of an engine with its key, and says which answers")
    func probe() async throws {
        try await Installation.with { system in
            let probe = Probe()
            let service = EngineService(
                database: system.database, stores: system.stores, workers: WorkerPool(bus: SilentBus()),
                sealer: .ephemeral(), probe: probe, clock: system.clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            await #expect(throws: ServiceError.self) { try await service.test("model", for: system.admin) }
            _ = try await service.change(
                "model",
                Self.change {
                    $0.provider = "openai-chat"
                    $0.largeModel = "large-1"
                    $0.smallModel = "small-1"
                    $0.key = "sk-1"
                }, for: system.admin)
            let answers = try await service.test("model", for: system.admin)
            #expect(answers.map(\.model) == ["large-1", "small-1"])
            #expect(answers.map(\.isAnswering) == [true, false])
            #expect(answers.map(\.message) == ["It answers.", "it does not know the model"])
            #expect(probe.asked.withLock { $0 } == ["large-1 Bearer sk-1", "small-1 Bearer sk-1"])
        }
    }
}
