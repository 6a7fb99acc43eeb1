import Domain
import Foundation
import Testing

@testable import Coordinator

/// Generations as a worker sees them, with the real use cases behind the session.
@Suite(.timeLimit(.minutes(5))) struct GenerationTests {
    private static func brief() throws -> SiteBrief {
        try SiteBrief(
            businessName: "Anna's Bakery", type: "bakery", description: "We bake bread.", goals: ["People come by"])
    }

    private static func plan(_ pages: [String]) throws -> GenerationStep {
        let sitemap = try Sitemap(
            kind: .restaurant,
            pages: pages.map {
                PlannedPage(name: $0, title: $0.uppercased(), purpose: "", role: $0 == "index" ? .home : .other)
            })
        return GenerationStep(
            name: .plan, input: "{}", output: String(decoding: try JSONEncoder().encode(sitemap), as: UTF8.self))
    }

    private func offer(_ agent: SessionFixture.Agent) async throws -> JobOffer {
        agent.say(.credit(slots: 1))
        let offer = try await agent.next { if case .offer(let offer) = $0 { offer } else { nil } }
        agent.say(.accept(offer.lease))
        return offer
    }

    private func end(
        _ offer: JobOffer, _ outcome: JobCompletion.Outcome, steps: [GenerationStep], of agent: SessionFixture.Agent
    ) async throws -> CompletionVerdict {
        agent.say(
            .complete(JobCompletion(lease: offer.lease, outcome: outcome, summary: "", usage: .zero, steps: steps)))
        return try await agent.next { if case .verdict(_, let verdict) = $0 { verdict } else { nil } }
    }

    private func task(_ offer: JobOffer) throws -> GenerationTask {
        try JSONDecoder().decode(GenerationTask.self, from: Data((offer.generation ?? "").utf8))
    }

    @Test("With the plan to be looked at: it waits, is changed, and the next worker gets it as approved")
    func review() async throws {
        try await SessionFixture.with { fixture in
            let generations = fixture.services.generations
            let made = try await generations.generate(
                Self.brief(), slug: "bakery", engine: nil, reviewsPlan: true, for: fixture.admin)
            #expect(made.generation.state == .queued)
            let host = try await fixture.join([.worker])
            try await fixture.session(of: host, [.worker]) { agent in
                let first = try await offer(agent)
                #expect(first.kind == .generate)
                #expect(try task(first).stopsAfterPlan)
                // What comes while the work goes on is seen at once.
                agent.say(.step(first.lease, try Self.plan(["index", "menu"])))
                try await agent.settle()
                let working = try await generations.find("bakery", for: fixture.admin)
                #expect(working.state == .working && working.generation.plan?.pages.count == 2)
                #expect(working.generation.progress == 15)
                let unchanged = JobCompletion.Outcome.succeeded(
                    changes: ManifestDelta(upserts: [], removals: []), digest: first.base)
                // A worker that changes the site before its plan is approved changes nothing.
                let meddled = JobCompletion.Outcome.succeeded(
                    changes: ManifestDelta(upserts: [], removals: [try SitePath("index.html")]), digest: first.base)
                #expect(
                    try await end(first, meddled, steps: [Self.plan(["index", "menu"])], of: agent) == .applied)
                let waiting = try await generations.find("bakery", for: fixture.admin)
                #expect(waiting.state == .waitingForPlan)
                let versions = try await fixture.services.versions.list(
                    of: "bakery", page: try PageRequest(), for: fixture.admin)
                #expect(versions.items.count == 1)
                #expect(waiting.steps.count == 1)
                let pages = try Sitemap(
                    kind: .restaurant,
                    pages: [
                        PlannedPage(name: "index", title: "Home", purpose: "", role: .home),
                        PlannedPage(name: "about", title: "About", purpose: "", role: .about),
                    ]
                ).pages
                _ = try await generations.changePlan(pages, of: "bakery", for: fixture.admin)
                let resumed = try await generations.resume("bakery", for: fixture.admin)
                #expect(resumed.state == .queued && resumed.generation.progress == 15)
                let second = try await offer(agent)
                #expect(try task(second).plan?.pages == pages)
                #expect(try !task(second).stopsAfterPlan)
                // Nothing is made of a site that stayed as it was.
                #expect(try await end(second, unchanged, steps: [], of: agent) == .applied)
                let failed = try await generations.find("bakery", for: fixture.admin)
                #expect(failed.state == .failed)
                #expect(failed.generation.plan?.pages == pages)
                let rows = try await fixture.database.auditRows()
                #expect(rows["generation.plan-changed"] == 1)
                #expect(rows["generation.resumed"] == 1)
            }
        }
    }

    @Test("A failed one goes on with what was done; a late worker and a foreign step change nothing")
    func resumption() async throws {
        try await SessionFixture.with { fixture in
            let generations = fixture.services.generations
            _ = try await generations.generate(
                Self.brief(), slug: "bakery", engine: nil, reviewsPlan: false, for: fixture.admin)
            let host = try await fixture.join([.worker])
            try await fixture.session(of: host, [.worker]) { agent in
                let first = try await offer(agent)
                let copy = GenerationStep(name: .copy, page: "index", input: "{\"a\":1}", output: "{\"b\":2}")
                let failure = JobFailure(kind: .task, code: "engine-refused", message: "It did not work.")
                #expect(
                    try await end(first, .failed(failure), steps: [Self.plan(["index"]), copy], of: agent) == .applied)
                agent.say(.step(first.lease, GenerationStep(name: .design, input: "{}", output: "{}")))
                try await agent.settle()
                let failed = try await generations.find("bakery", for: fixture.admin)
                #expect(failed.state == .failed && failed.steps.map(\.step.name) == [.plan, .copy])
                #expect(failed.message == "It did not work.")
                _ = try await generations.resume("bakery", for: fixture.admin)
                let second = try await offer(agent)
                #expect(try task(second).stored.map(\.output).contains("{\"b\":2}"))
                #expect(second.lease.attempt == 1 && second.lease.job != first.lease.job)
            }
        }
    }

    @Test("A plan that the domain refuses is kept as what the worker said, and is no plan")
    func badPlan() async throws {
        try await SessionFixture.with { fixture in
            _ = try await fixture.services.generations.generate(
                Self.brief(), slug: "bakery", engine: nil, reviewsPlan: true, for: fixture.admin)
            let host = try await fixture.join([.worker])
            try await fixture.session(of: host, [.worker]) { agent in
                let first = try await offer(agent)
                agent.say(
                    .step(
                        first.lease,
                        GenerationStep(
                            name: .plan, input: "{}",
                            output: #"{"kind":"shop","pages":[{"name":"../x","title":"x","purpose":"","role":"home"}]}"#
                        )))
                try await agent.settle()
                let view = try await fixture.services.generations.find("bakery", for: fixture.admin)
                #expect(view.steps.count == 1 && view.generation.plan == nil)
            }
        }
    }
}
