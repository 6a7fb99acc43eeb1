import Testing

@testable import Domain

@Suite struct GenerationTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)

    private static func brief(_ change: (inout [String: String]) -> Void = { _ in }) throws -> SiteBrief {
        var fields = ["name": "Anna's Bakery", "type": "bakery", "description": "We bake bread."]
        change(&fields)
        return try SiteBrief(
            businessName: fields["name"] ?? "", type: fields["type"] ?? "", description: fields["description"] ?? "",
            goals: ["People come by"])
    }

    private static func page(_ name: String, _ role: PlannedPage.Role = .other) -> PlannedPage {
        PlannedPage(name: name, title: name.uppercased(), purpose: "", role: role)
    }

    // MARK: Brief

    @Test(
        "A brief names the field that is wrong",
        arguments: [
            ("business_name", ["name": ""]), ("business_name", ["name": "two\nlines"]),
            ("type", ["type": String(repeating: "x", count: 61)]), ("description", ["description": "   "]),
            ("description", ["description": String(repeating: "x", count: 4001)]),
            ("description", ["description": "a\u{0}b"]),
        ])
    func briefRefusals(field: String, change: [String: String]) {
        #expect {
            try Self.brief { $0.merge(change) { $1 } }
        } throws: { ($0 as? ServiceError)?.field == field && ($0 as? ServiceError)?.rule == "brief-\(field)" }
    }

    @Test("Goals, languages and pages are bounded and without repetition")
    func briefLists() {
        func make(goals: [String] = ["x"], languages: [String] = [], pages: [String] = []) throws -> SiteBrief {
            try SiteBrief(
                businessName: "A", type: "b", description: "c", goals: goals, languages: languages, pages: pages)
        }
        #expect(throws: ServiceError.self) { try make(goals: []) }
        #expect(throws: ServiceError.self) { try make(goals: Array(repeating: "x", count: 7)) }
        #expect(throws: ServiceError.self) { try make(languages: ["en", "en"]) }
        #expect(throws: ServiceError.self) { try make(languages: ["tlh"]) }
        #expect(throws: ServiceError.self) { try make(pages: ["Menu", "menu"]) }
        #expect(throws: ServiceError.self) { try make(pages: (0..<12).map { "Page \($0)" }) }
    }

    @Test("Without a language, a brief is in that of its description")
    func language() throws {
        #expect(try Self.brief().languages == [.english])
        #expect(
            try Self.brief { $0["description"] = "Wir backen Brot und Kuchen für die Stadt." }.languages == [.german])
    }

    @Test(
        "The kind of business is read from its words, in English and in German",
        arguments: [
            ("bakery", BusinessKind.restaurant), ("Weinbar", .restaurant), ("Tischlerei", .craft), ("plumber", .craft),
            ("wedding photographer", .portfolio), ("Physiotherapie", .practice), ("Hebamme", .practice),
            ("football club", .club), ("Gesangverein", .club), ("bookshop", .shop), ("Buchhandlung", .shop),
            ("summer festival", .event), ("Stadtlauf", .event), ("software", .business),
        ])
    func kind(type: String, expected: BusinessKind) throws {
        let brief = try Self.brief {
            $0["type"] = type
            $0["description"] = "Hello."
        }
        #expect(BusinessKind(in: brief) == expected)
    }

    // MARK: Plan

    @Test("A plan begins with the home page, and its names are fit for files and there once")
    func sitemap() throws {
        _ = try Sitemap(kind: .shop, pages: [Self.page("index", .home), Self.page("our-range")])
        let wrong: [[PlannedPage]] = [
            [], [Self.page("about")], [Self.page("index"), Self.page("index")],
            [Self.page("index"), Self.page("../x")],
            [Self.page("index"), Self.page("-x")], [Self.page("index"), Self.page("404")],
            [Self.page("index")] + (0..<12).map { Self.page("page-\($0)") },
        ]
        for pages in wrong { #expect(throws: ServiceError.self) { try Sitemap(kind: .shop, pages: pages) } }
    }

    @Test("The name of a page's file is made of its title")
    func names() {
        #expect(PlannedPage.name(for: "Über uns & Öffnungszeiten!") == "ueber-uns-oeffnungszeiten")
        #expect(PlannedPage.name(for: "???") == "page")
        #expect(
            Slug.proposals(for: "Anna's Bakery", count: 3).map(\.text) == [
                "annas-bakery", "annas-bakery-2", "annas-bakery-3",
            ])
        #expect(Slug.proposals(for: "API", count: 1).map(\.text) == ["api-site"])
        #expect(Slug.proposals(for: "X", count: 1).map(\.text) == ["x-site"])
    }

    // MARK: Colours

    @Test("Contrast is WCAG's")
    func contrast() throws {
        #expect(abs(DesignColour.black.contrast(with: .white) - 21) < 0.001)
        let grey = try #require(DesignColour("#767676"))
        // The well-known lightest grey on white.
        #expect(abs(grey.contrast(with: .white) - 4.54) < 0.01)
        #expect(DesignColour("#12345") == nil && DesignColour("123456") == nil && DesignColour("#12345g") == nil)
    }

    @Test("Letters that cannot be read are made readable, whatever they are")
    func readable() {
        var generator = SystemRandomNumberGenerator()
        func colour() -> DesignColour {
            DesignColour(
                red: .random(in: 0...255, using: &generator), green: .random(in: 0...255, using: &generator),
                blue: .random(in: 0...255, using: &generator))
        }
        for _ in 0..<500 {
            let (letters, ground) = (colour(), colour())
            #expect(letters.readable(on: [ground]).contrast(with: ground) >= 4.5, "\(letters) on \(ground)")
        }
    }

    // MARK: Pipeline

    @Test("The steps follow each other, and progress never falls")
    func pipeline() throws {
        var pipeline = GenerationPipeline()
        var last = 0
        func step(_ event: GenerationPipeline.Event) throws {
            try pipeline.step(event)
            #expect(pipeline.progress >= last)
            last = pipeline.progress
        }
        try step(.planned(pages: ["index", "about"]))
        try step(.copied(page: "about"))
        #expect(pipeline.state == .copying(["index"]))
        try step(.copied(page: "index"))
        try step(.designed)
        try step(.built)
        try step(.checked(problems: 3))
        #expect(pipeline.state == .repairing(round: 1))
        try step(.repaired)
        try step(.checked(problems: 1))
        #expect(pipeline.state == .repairing(round: 2))
        try step(.repaired)
        try step(.checked(problems: 1))
        // Two repairs are enough.
        #expect(pipeline.state == .finished(problems: 1))
        #expect(pipeline.progress == 100)
    }

    @Test("What does not belong to the state is refused and changes nothing")
    func wrongEvents() throws {
        var pipeline = GenerationPipeline(stopsAfterPlan: true)
        #expect(throws: GenerationPipeline.WrongEvent.self) { try pipeline.step(.built) }
        #expect(throws: GenerationPipeline.WrongEvent.self) { try pipeline.step(.planned(pages: [])) }
        try pipeline.step(.planned(pages: ["index"]))
        #expect(pipeline.state == .waitingForPlan && pipeline.isOver)
        #expect(throws: GenerationPipeline.WrongEvent.self) { try pipeline.step(.copied(page: "index")) }
        #expect(pipeline.state == .waitingForPlan)
    }

    // MARK: Generation

    private static func job(_ id: JobID, _ state: Job.State) -> Job {
        Job(id: id, site: SiteID(at: now), kind: .generate, state: state, createdAt: now)
    }

    private static func generation(reviewsPlan: Bool) throws -> Generation {
        Generation(
            id: GenerationID(at: now), site: SiteID(at: now), author: UserID(at: now), engine: .builtin,
            brief: try brief(), reviewsPlan: reviewsPlan, job: JobID(at: now), createdAt: now)
    }

    @Test("A plan waits for its owner, can be changed then and only then, and goes on as it was approved")
    func review() throws {
        var generation = try Self.generation(reviewsPlan: true)
        let first = try Sitemap(kind: .shop, pages: [Self.page("index", .home)])
        let better = try Sitemap(kind: .shop, pages: [Self.page("index", .home), Self.page("about", .about)])
        #expect(throws: ServiceError.self) {
            try generation.change(better, whileJobIs: Self.job(generation.job, .ready), at: Self.now)
        }
        generation.note([.init(name: .plan, page: "", round: 0)], plan: first, at: Self.now)
        let done = Self.job(generation.job, .succeeded(.first))
        #expect(generation.state(of: done) == .waitingForPlan)
        #expect(generation.task(with: []).stopsAfterPlan)
        try generation.change(better, whileJobIs: done, at: Self.now)
        let next = JobID(at: Self.now)
        try generation.resume(after: done, with: next, at: Self.now)
        #expect(generation.job == next)
        #expect(generation.task(with: []).plan == better)
        #expect(!generation.task(with: []).stopsAfterPlan)
        // A worker's plan does not replace an approved one.
        generation.note([.init(name: .plan, page: "", round: 0)], plan: first, at: Self.now)
        #expect(generation.plan == better)
        #expect(generation.state(of: Self.job(next, .succeeded(.first))) == .done)
        #expect(throws: ServiceError.self) {
            try generation.resume(after: Self.job(next, .succeeded(.first)), with: JobID(at: Self.now), at: Self.now)
        }
    }

    @Test("After a failure it goes on from what was done")
    func resume() throws {
        var generation = try Self.generation(reviewsPlan: false)
        let failed = Self.job(generation.job, .failed(JobFailure(kind: .task, code: "x", message: "y")))
        #expect(generation.state(of: failed) == .failed)
        try generation.resume(after: failed, with: JobID(at: Self.now), at: Self.now)
        let steps = [
            GenerationStep(name: .plan, input: "{}", output: "{}"),
            GenerationStep(name: .build, input: "{}", output: "{}"),
            GenerationStep(
                name: .copy, page: "index", input: String(repeating: "x", count: GenerationTask.sizeLimit), output: "{}"
            ),
        ]
        // What is built is built again, and what is too large to travel is asked again.
        #expect(generation.task(with: steps).stored.map(\.name) == [.plan])
    }
}
