package import Domain
import FoundationEssentials

/// Makes a site from a brief: walks through ``GenerationPipeline`` and asks its model step by step. What was done before
/// is not asked again when the same question comes up.
package struct SiteGenerator: Sendable {
    /// Pages whose words are asked for at once.
    private static let pagesAtOnce = 4
    /// How often a step is asked when its answer cannot be used.
    private static let tries = 2

    package enum Report: Sendable, Equatable {
        case progress(step: String, percent: Int)
        case done(GenerationStep)
    }

    /// What came of it.
    package enum Result: Sendable, Equatable {
        case plan(Sitemap)
        case site(GeneratedSite)
    }

    /// A step whose answer could not be used, however often it was asked.
    package struct UselessAnswer: Error, Equatable, CustomStringConvertible {
        package let step: GenerationStep.Name
        package let page: String
        package let problems: [String]

        package var description: String {
            let place = page.isEmpty ? "" : " for the page \"\(page)\""
            return "the step \(step.rawValue)\(place) gave nothing useful: "
                + problems.prefix(3).joined(separator: "; ")
        }
    }

    private let model: any StepModel
    private let task: GenerationTask
    private let report: @Sendable (Report) -> Void

    package init(
        _ task: GenerationTask, model: any StepModel, report: @escaping @Sendable (Report) -> Void = { _ in }
    ) {
        self.task = task
        self.model = model
        self.report = report
    }

    private var brief: SiteBrief { task.brief }

    package func run() async throws -> Result {
        var pipeline = GenerationPipeline(stopsAfterPlan: task.stopsAfterPlan)
        say("Planning the pages: \(model.title)", pipeline)
        let plan = try await makePlan()
        let places = GeneratedSite.places(of: plan, in: brief.languages)
        try pipeline.step(.planned(pages: places.map(\.key)))
        if case .waitingForPlan = pipeline.state {
            say("The plan is ready", pipeline)
            return .plan(plan)
        }
        say("Writing \(places.count == 1 ? "one page" : "\(places.count) pages")", pipeline)
        var copies: [String: PageCopy] = [:]
        try await makeCopies(of: places, plan: plan) { place, copy in
            copies[place.key] = copy
            try pipeline.step(.copied(page: place.key))
            say("Wrote \(copy.label)", pipeline)
        }
        say("Choosing colours and type", pipeline)
        let design = try await makeDesign(plan.kind)
        try pipeline.step(.designed)
        say("Building the pages", pipeline)
        var site = try build(plan, copies, design)
        try pipeline.step(.built)
        while case .checking(let round) = pipeline.state {
            say(round == 0 ? "Checking the pages" : "Checking again", pipeline)
            let problems = try check(site, design, copies, plan, round: round)
            try pipeline.step(.checked(problems: problems.count))
            guard case .repairing(let round) = pipeline.state else { break }
            say("Mending \(problems.count == 1 ? "one thing" : "\(problems.count) things")", pipeline)
            for (page, complaints) in Self.byPage(problems) {
                guard let copy = copies[page] else { continue }
                copies[page] = try await repair(copy, of: page, problems: complaints, plan: plan, round: round)
            }
            site = try build(plan, copies, design, isRepair: true)
            try pipeline.step(.repaired)
        }
        say("Done", pipeline)
        return .site(site)
    }

    private func say(_ step: String, _ pipeline: GenerationPipeline) {
        report(.progress(step: step, percent: pipeline.progress))
    }

    // MARK: Steps

    private func makePlan() async throws -> Sitemap {
        if let plan = task.plan { return plan }
        return try await ask(.plan, page: "", about: PlanInput(brief: brief)) { (plan: Sitemap) in (plan, []) }
    }

    /// Hands every page's words to `body`, in the order in which they come.
    private func makeCopies(
        of places: [GeneratedSite.Place], plan: Sitemap,
        _ body: (GeneratedSite.Place, PageCopy) throws -> Void
    ) async throws {
        let names = Set(plan.pages.map(\.name))
        try await withThrowingTaskGroup(of: (GeneratedSite.Place, PageCopy).self) { group in
            var waiting = places[...]
            for _ in 0..<Self.pagesAtOnce {
                guard let place = waiting.popFirst() else { break }
                group.addTask { (place, try await makeCopy(of: place, plan: plan, names: names)) }
            }
            while let (place, copy) = try await group.next() {
                try body(place, copy)
                if let next = waiting.popFirst() {
                    group.addTask { (next, try await makeCopy(of: next, plan: plan, names: names)) }
                }
            }
        }
    }

    private func makeCopy(
        of place: GeneratedSite.Place, plan: Sitemap, names: Set<String>
    ) async throws -> PageCopy {
        let input = CopyInput(
            brief: brief, kind: plan.kind, pages: plan.pages, page: place.page, language: place.language)
        return try await ask(.copy, page: place.key, about: input) { (copy: PageCopy) in
            (copy, copy.problems(on: names))
        }
    }

    private func makeDesign(_ kind: BusinessKind) async throws -> SiteDesign {
        try await ask(.design, page: "", about: DesignInput(brief: brief, kind: kind)) { (design: SiteDesign) in
            // Letters that are hard to read are made darker or lighter; that needs no second question.
            let readable = design.readable
            return (readable, readable.problems)
        }
    }

    private func repair(
        _ copy: PageCopy, of page: String, problems: [String], plan: Sitemap, round: Int
    ) async throws -> PageCopy {
        let names = Set(plan.pages.map(\.name))
        return try await ask(
            .repair, page: page, round: round, about: RepairInput(copy: copy, problems: problems)
        ) { (copy: PageCopy) in (copy, copy.problems(on: names)) }
    }

    private func build(
        _ plan: Sitemap, _ copies: [String: PageCopy], _ design: SiteDesign, isRepair: Bool = false
    ) throws -> GeneratedSite {
        let began = ContinuousClock.now
        let site = try GeneratedSite(brief: brief, plan: plan, copies: copies, design: design)
        guard !isRepair else { return site }
        let files = site.files.map { BuildOutput.File(path: $0.path, bytes: $0.bytes.count) }
        note(
            .build, input: try StepJSON.text(["pages": copies.keys.sorted(), "design": [design.name]]),
            output: try StepJSON.text(BuildOutput(files: files, suggestions: site.suggestions)), since: began)
        return site
    }

    private func check(
        _ site: GeneratedSite, _ design: SiteDesign, _ copies: [String: PageCopy], _ plan: Sitemap, round: Int
    ) throws -> [BuildProblem] {
        let began = ContinuousClock.now
        let problems = BuildCheck.problems(of: site, design: design)
        note(
            .checks, round: round, input: try StepJSON.text(["files": site.files.map(\.path)]),
            output: try StepJSON.text(CheckOutput(problems: problems)), since: began)
        return problems
    }

    private static func byPage(_ problems: [BuildProblem]) -> [(page: String, complaints: [String])] {
        Dictionary(grouping: problems, by: \.page).sorted { $0.key < $1.key }.map { ($0.key, $0.value.map(\.message)) }
    }

    // MARK: Questions

    /// Asks the model, or takes what was answered before; `judge` gives the value to use and what is wrong with it.
    private func ask<Answer: Decodable & Encodable, Input: Encodable>(
        _ step: GenerationStep.Name, page: String, round: Int = 0, about input: Input,
        judge: (Answer) -> (value: Answer, problems: [String])
    ) async throws -> Answer {
        let text = try StepJSON.text(input)
        if let known = task.stored.last(where: { $0.name == step && $0.page == page && $0.input == text }),
            let answer = try? StepJSON.value(Answer.self, in: known.output)
        {
            let (value, problems) = judge(answer)
            if problems.isEmpty { return value }
        }
        let began = ContinuousClock.now
        var usage = TokenUsage.zero
        var problems: [String] = []
        for attempt in 0..<Self.tries {
            try Task.checkCancellation()
            let answer = try await model.answer(
                StepQuestion(
                    step: step, page: page, instructions: StepSchemas.instructions(step), input: text,
                    schema: StepSchemas.schema(step), complaint: attempt == 0 ? nil : problems.joined(separator: "; ")))
            usage = usage + answer.usage
            do {
                let (value, complaints) = judge(try StepJSON.value(Answer.self, in: answer.output))
                problems = complaints
                guard complaints.isEmpty else { continue }
                note(
                    step, page: page, round: round, input: text, output: try StepJSON.text(value), usage: usage,
                    since: began)
                return value
            } catch {
                problems = ["it is not JSON of the schema: " + String("\(error)".prefix(300))]
            }
        }
        throw UselessAnswer(step: step, page: page, problems: problems)
    }

    private func note(
        _ name: GenerationStep.Name, page: String = "", round: Int = 0, input: String, output: String,
        usage: TokenUsage = .zero, since began: ContinuousClock.Instant
    ) {
        guard input.utf8.count <= GenerationStep.textLimit, output.utf8.count <= GenerationStep.textLimit else {
            return
        }
        report(
            .done(
                GenerationStep(
                    name: name, page: page, round: round, input: input, output: output, usage: usage,
                    milliseconds: Int((ContinuousClock.now - began).wholeMilliseconds))))
    }
}
