import Domain
import Foundation
import Markup
import Synchronization
import TestSupport
import Testing
import Validation

@testable import Engines

@Suite("Sites from briefs") struct SiteGeneratorTests {
    /// Answers as it is told, then as the composer does; counts questions.
    final class ScriptedModel: StepModel {
        let title = "scripted model"
        private let script: Mutex<[GenerationStep.Name: [String]]>
        private let asked = Mutex<[StepQuestion]>([])

        init(_ script: [GenerationStep.Name: [String]] = [:]) { self.script = Mutex(script) }

        var questions: [StepQuestion] { asked.withLock { $0 } }

        func answer(_ question: StepQuestion) async throws -> StepAnswer {
            asked.withLock { $0.append(question) }
            let scripted = script.withLock { script -> String? in
                guard let first = script[question.step]?.first else { return nil }
                script[question.step]?.removeFirst()
                return first
            }
            let usage = TokenUsage(uncachedInput: 10, cachedInput: 0, output: 5)
            if let scripted { return StepAnswer(output: scripted, usage: usage) }
            return StepAnswer(output: try await StepComposer().answer(question).output, usage: usage)
        }
    }

    final class Reports: Sendable {
        private let all = Mutex<[SiteGenerator.Report]>([])
        func add(_ report: SiteGenerator.Report) { all.withLock { $0.append(report) } }
        var steps: [GenerationStep] {
            all.withLock { $0 }.compactMap { if case .done(let step) = $0 { step } else { nil } }
        }
        var percents: [Int] {
            all.withLock { $0 }.compactMap { if case .progress(_, let percent) = $0 { percent } else { nil } }
        }
    }

    static func brief(
        _ type: String = "bakery", name: String = "Morrow & Daughter",
        description: String =
            "A family bakery by the harbour. We bake sourdough bread, croissants, rye loaves and cardamom buns. Everything is made by hand. Write to hello@bakery.example or call +44 1632 960142.",
        goals: [String] = ["People come by"], languages: [String] = [], pages: [String] = [], style: String? = nil
    ) throws -> SiteBrief {
        try SiteBrief(
            businessName: name, type: type, description: description, goals: goals, audience: "Families and commuters",
            style: style, languages: languages, pages: pages)
    }

    private static func site(_ task: GenerationTask, _ model: any StepModel = StepComposer()) async throws
        -> GeneratedSite
    {
        guard case .site(let site) = try await SiteGenerator(task, model: model).run() else {
            throw TestFailure("a plan instead of a site")
        }
        return site
    }

    private static let types = [
        "bakery", "carpenter", "photographer", "physiotherapy practice", "football club", "bookshop", "summer festival",
        "software company",
    ]

    @Test("Every kind of business gets five pages that pass our own checks and the coordinator's", arguments: types)
    func kinds(type: String) async throws {
        for language in ["en", "de"] {
            let site = try await Self.site(GenerationTask(brief: try Self.brief(type, languages: [language])))
            #expect(site.places.count == 5)
            #expect(Set(site.files.map(\.path)).isSuperset(of: ["index.html", "404.html", "styles.css"]))
            let manifest = try Manifest(
                site.files.enumerated().map { index, file in
                    Manifest.Entry(
                        path: try SitePath(file.path), sizeInBytes: Int64(file.bytes.count),
                        digest: try #require(ContentDigest(bytes: [UInt8](repeating: UInt8(index + 1), count: 32))))
                })
            let contents = Dictionary(site.files.map { ($0.path, $0.bytes) }, uniquingKeysWith: { $1 })
            let findings = try await ContentValidator().check(manifest) { entry in
                FileFacts.extract(entry.path, from: contents[entry.path.text] ?? [])
            }
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    /// Answers for a page when another page was asked for at the same time, or after half a minute.
    private final class SociableModel: StepModel {
        let title = "sociable model"
        private let state = Mutex((now: 0, most: 0))
        var most: Int { state.withLock { $0.most } }

        func answer(_ question: StepQuestion) async throws -> StepAnswer {
            guard question.step == .copy else { return try await StepComposer().answer(question) }
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
            defer { state.withLock { $0.now -= 1 } }
            let deadline = ContinuousClock.now + .seconds(30)
            while most < 2, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
            return try await StepComposer().answer(question)
        }
    }

    @Test("Pages are written at the same time")
    func pagesAtOnce() async throws {
        let model = SociableModel()
        let site = try await Self.site(GenerationTask(brief: try Self.brief()), model)
        #expect(site.places.count == 5 && model.most >= 2)
    }

    @Test("Two languages are two sets of pages that link to each other")
    func languages() async throws {
        let site = try await Self.site(GenerationTask(brief: try Self.brief(languages: ["en", "de"])))
        #expect(site.places.count == 10)
        let page = String(
            decoding: try #require(site.files.first { $0.path == "de/index.html" }).bytes, as: UTF8.self)
        #expect(page.contains("<html lang=\"de\">"))
        #expect(page.contains("href=\"../styles.css\""))
        #expect(page.contains("href=\"../index.html\""))
    }

    @Test("What somebody wrote is text on the page and never a tag")
    func escaping() async throws {
        let attack = "<script>alert(1)</script> \"x\" & 'y' <img src=x onerror=alert(2)>"
        let brief = try SiteBrief(
            businessName: "A<b>", type: "<i>shop</i>",
            description: attack + " We sell \(attack), pears and <u>apples</u>.",
            goals: [attack], audience: attack, style: attack, pages: ["<h1>Menu</h1>", "About"])
        let site = try await Self.site(GenerationTask(brief: brief))
        for file in site.files where file.path.hasSuffix(".html") {
            let document = try HTMLDocument(parsing: file.bytes)
            for name in ["script", "i", "u", "b"] { #expect(document.elements(named: name).isEmpty, "\(file.path)") }
            #expect(document.elements(named: "img").allSatisfy { ($0["src"] ?? "").contains("images/") })
        }
    }

    @Test("Contact details come from the brief, and what is missing is a suggestion and no gap on a page")
    func honesty() async throws {
        let site = try await Self.site(GenerationTask(brief: try Self.brief()))
        let pages = site.files.filter { $0.path.hasSuffix(".html") }.map { String(decoding: $0.bytes, as: UTF8.self) }
        let contact = try #require(pages.first { $0.contains("<h1>Get in touch</h1>") })
        #expect(contact.contains("mailto:hello@bakery.example") && contact.contains("tel:+441632960142"))
        let bare = try await Self.site(
            GenerationTask(brief: try Self.brief(description: "We are here since 1998 and like what we do.")))
        #expect(bare.suggestions.contains { $0.contains("telephone number") })
        for file in bare.files where file.path.hasSuffix(".html") {
            let text = String(decoding: file.bytes, as: UTF8.self)
            for gap in ["tel:", "mailto:", "lorem", "TODO", "[", "your text"] {
                #expect(!text.lowercased().contains(gap.lowercased()), "\(file.path) has \(gap)")
            }
        }
    }

    @Test("The same brief gives the same bytes, and other names other looks")
    func determinism() async throws {
        let task = GenerationTask(brief: try Self.brief())
        #expect(try await Self.site(task) == Self.site(task))
        var looks: Set<String> = []
        for name in ["Anna", "Bert", "Cleo", "Dora", "Emil", "Fritz"] {
            let site = try await Self.site(GenerationTask(brief: try Self.brief(name: name)))
            looks.insert(String(decoding: site.files.first { $0.path == "styles.css" }?.bytes ?? [], as: UTF8.self))
        }
        #expect(looks.count >= 4)
    }

    @Test("Every palette is readable in light and dark")
    func palettes() {
        for palette in DesignCollection.palettes {
            for scheme in [palette.light, palette.dark] {
                for pair in scheme.pairs {
                    #expect(pair.letters.contrast(with: pair.ground) >= 4.5, "\(palette.name): \(pair.name)")
                }
            }
        }
    }

    @Test("Pages that the brief names are made, in that order")
    func namedPages() async throws {
        let pages = ["Our breads", "Events", "Über uns", "Contact"]
        let site = try await Self.site(GenerationTask(brief: try Self.brief(pages: pages)))
        #expect(site.places.map(\.key) == ["index", "our-breads", "events", "ueber-uns", "contact"])
    }

    @Test("With a plan to be looked at, it stops there; with an approved one, that is what is made")
    func plan() async throws {
        let brief = try Self.brief()
        let reports = Reports()
        let result = try await SiteGenerator(
            GenerationTask(brief: brief, stopsAfterPlan: true), model: StepComposer(), report: reports.add
        ).run()
        guard case .plan(let plan) = result else {
            Issue.record("not a plan")
            return
        }
        #expect(reports.steps.map(\.name) == [.plan])
        let own = try Sitemap(
            kind: plan.kind,
            pages: [plan.pages[0], PlannedPage(name: "visit", title: "Come by", purpose: "", role: .visit)])
        let site = try await Self.site(GenerationTask(brief: brief, plan: own))
        #expect(site.places.map(\.key) == ["index", "visit"])
    }

    @Test("Every step is reported with its input and output, and progress never falls")
    func reports() async throws {
        let reports = Reports()
        let model = ScriptedModel()
        _ = try await SiteGenerator(GenerationTask(brief: try Self.brief()), model: model, report: reports.add).run()
        #expect(reports.steps.map(\.name).filter { $0 == .copy }.count == 5)
        #expect(Set(reports.steps.map(\.name)) == [.plan, .copy, .design, .build, .checks])
        #expect(reports.percents == reports.percents.sorted() && reports.percents.last == 100)
        #expect(reports.steps.filter { $0.name == .copy }.allSatisfy { $0.usage.output == 5 && !$0.input.isEmpty })
    }

    @Test("What was done before is not asked again, unless the question is another one now")
    func resumption() async throws {
        let brief = try Self.brief()
        let reports = Reports()
        _ = try await SiteGenerator(GenerationTask(brief: brief), model: ScriptedModel(), report: reports.add).run()
        let stored = reports.steps.filter { $0.name != .checks && $0.name != .build && $0.page != "about" }.map {
            GenerationTask.Stored(name: $0.name, page: $0.page, input: $0.input, output: $0.output)
        }
        let second = ScriptedModel()
        _ = try await Self.site(GenerationTask(brief: brief, stored: stored), second)
        #expect(second.questions.map(\.page) == ["about"])
        let third = ScriptedModel()
        _ = try await Self.site(GenerationTask(brief: try Self.brief(goals: ["Sell more"]), stored: stored), third)
        #expect(third.questions.count == 7)
    }

    @Test("An answer that is no good is asked for once more, with what was wrong; then it is over")
    func garbage() async throws {
        let brief = try Self.brief()
        let once = ScriptedModel([.plan: ["Sure! Here is your plan:"]])
        _ = try await Self.site(GenerationTask(brief: brief), once)
        let plans = once.questions.filter { $0.step == .plan }
        #expect(plans.count == 2 && plans[0].complaint == nil && plans[1].complaint != nil)
        let never = ScriptedModel([.plan: ["{}", "{\"kind\":\"shop\",\"pages\":[]}"]])
        await #expect(throws: SiteGenerator.UselessAnswer.self) {
            try await Self.site(GenerationTask(brief: brief), never)
        }
    }

    @Test("Words with a placeholder, or a link to a page that is not planned, are not taken")
    func badCopy() async throws {
        let copy = PageCopy(
            seoTitle: "T", seoDescription: "D", label: "L", eyebrow: "", heading: "H", lead: "Lorem ipsum dolor",
            actions: [.init("Go", to: "https-evil")], blocks: [])
        let text = try StepJSON.text(copy)
        let model = ScriptedModel([.copy: Array(repeating: text, count: 40)])
        await #expect(throws: SiteGenerator.UselessAnswer.self) {
            try await Self.site(GenerationTask(brief: try Self.brief()), model)
        }
    }

    @Test("Problems that the checks find are repaired in at most two rounds, page by page")
    func repair() async throws {
        // A heading that is empty after trimming is a page without a main heading.
        let brief = try Self.brief()
        let plan = try Sitemap(
            kind: .shop, pages: [PlannedPage(name: "index", title: "Home", purpose: "", role: .home)])
        let bad = PageCopy(
            seoTitle: " ", seoDescription: "D", label: "L", eyebrow: "", heading: "H", lead: "Words", blocks: [])
        let good = PageCopy(
            seoTitle: "Fine", seoDescription: "D", label: "L", eyebrow: "", heading: "H", lead: "Words", blocks: [])
        let model = ScriptedModel([
            .copy: [try StepJSON.text(bad)], .repair: [try StepJSON.text(bad), try StepJSON.text(good)],
        ])
        let reports = Reports()
        _ = try await SiteGenerator(GenerationTask(brief: brief, plan: plan), model: model, report: reports.add).run()
        #expect(reports.steps.filter { $0.name == .repair }.map(\.round) == [1, 2])
        #expect(reports.steps.filter { $0.name == .checks }.map(\.round) == [0, 1, 2])
    }

    @Test("Lists are read out of sentences, and sentences are not taken for things")
    func offers() throws {
        func offers(_ description: String) throws -> [String] {
            BriefReading(try Self.brief(description: description)).offers
        }
        #expect(
            try offers("Hello. We bake sourdough bread, croissants and rye loaves.")
                == ["Sourdough bread", "Croissants", "Rye loaves"])
        #expect(
            try offers("Wir reparieren Fahrräder, Roller und Kinderwagen.") == ["Fahrräder", "Roller", "Kinderwagen"])
        #expect(try offers("Our services: kitchens, stairs, doors.") == ["Kitchens", "Stairs", "Doors"])
        #expect(try offers("We are friendly and we like people.").isEmpty)
        #expect(try offers("Founded in 1998.").isEmpty)
    }

    @Test("The process reads a task, writes the pages into its folder and says every step in a line")
    func process() async throws {
        try await withTemporaryDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder + "/site", withIntermediateDirectories: true)
            try StepJSON.text(GeneratorInput(task: GenerationTask(brief: try Self.brief()), model: nil)).write(
                toFile: folder + "/task", atomically: true, encoding: .utf8)
            let input = open(folder + "/task", O_RDONLY)
            let output = open(folder + "/out", O_WRONLY | O_CREAT, 0o600)
            defer {
                close(input)
                close(output)
            }
            let status = await GeneratorProcess.run(
                input: input, output: output, folder: folder + "/site")
            #expect(status == 0)
            #expect(FileManager.default.fileExists(atPath: folder + "/site/images/hero.svg"))
            var transcript = BuiltinTranscript(limits: .init())
            var steps: [GenerationStep] = []
            for line in try String(contentsOfFile: folder + "/out", encoding: .utf8).split(separator: "\n") {
                for event in transcript.read(.line(String(line))) {
                    if case .step(let step) = event { steps.append(step) }
                }
            }
            #expect(steps.count == 9)
        }
    }

    private static let askers: [any Engine] = [
        ModelEngine(program: AgentProgram.path),
        CodexEngine(program: "/usr/bin/false", generator: ModelEngine(program: AgentProgram.path)),
        ClaudeEngine(program: "/usr/bin/false", generator: ModelEngine(program: AgentProgram.path)),
    ]

    @Test(
        "Engines with a model ask it for each step, through the real program, and count what that took",
        arguments: 0..<3)
    func asked(number: Int) async throws {
        let plan = try StepJSON.text(
            Sitemap(kind: .shop, pages: [PlannedPage(name: "index", title: "Home", purpose: "", role: .home)]))
        let copy = try StepJSON.text(
            PageCopy(
                seoTitle: "Maps and globes", seoDescription: "A shop for maps.", label: "Home", eyebrow: "Shop",
                heading: "Where in the world", lead: "We sell maps.", blocks: []))
        let design = try StepJSON.text(
            DesignCollection.design(for: DesignInput(brief: try Self.brief(), kind: .shop)))
        let steps = try [plan, copy, design].map { text in
            let reply = String(decoding: try JSONEncoder().encode(["text": text]), as: UTF8.self)
            return "{\"reply\": \(reply)}"
        }
        let engine = Self.askers[number]
        try await EngineBench.with(engine, steps.joined(separator: ",")) { bench in
            let result = try await bench.run(
                generation: try StepJSON.text(GenerationTask(brief: try Self.brief())))
            guard case .finished(let summary) = result.verdict else {
                Issue.record("\(result.verdict) \(result.events)")
                return
            }
            #expect(summary.hasPrefix("Made one page with the model gpt-5.4"))
            #expect(result.page.contains("<h1>Where in the world</h1>"))
            #expect(bench.server.requests.count == 3)
            let done = result.events.compactMap { if case .step(let step) = $0 { step } else { nil } }
            #expect(done.map(\.name) == [.plan, .copy, .design, .build, .checks])
            #expect(done.prefix(3).allSatisfy { $0.usage.output > 0 })
        }
    }
}
