import Domain
import Synchronization
import Testing

@testable import WebUI

@Suite(.timeLimit(.minutes(5))) struct WizardTests {
    private static let answers = [
        "name": "Miller's Bakery", "occupation": "We bake", "audience": "", "goal": "Come by",
        "style": "Warm and homely", "language": "Deutsch",
    ]

    @Test("Without something that makes sites there is no wizard and no way to it")
    func hidden() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            #expect(try await !browser.get("/sites/new").text.contains("/sites/new/describe"))
            #expect(try await browser.get("/sites/new/describe").status == 404)
        }
    }

    @Test("Six questions, the plan, and only then the work")
    func flow() async throws {
        let begun = Mutex<[SiteBrief]>([])
        let job = JobID(unchecked: "job_0000000000000000000000")
        let generation = SiteGeneration(
            plan: { brief, _ in [.init(title: "Start", content: "About \(brief.name)")] },
            start: { brief, _ in
                begun.withLock { $0.append(brief) }
                return job
            })
        try await WebFixture.with(generation: generation) { web in
            let browser = try await web.browser(as: "a@example.org")
            #expect(try await browser.get("/sites/new").text.contains("/sites/new/describe"))
            let page = "/sites/new/describe"
            let short = try await browser.post(page, from: page, ["name": "Miller's Bakery"])
            #expect(short.status == 400)
            #expect(short.text.contains("value=\"Miller&#39;s Bakery\""))
            let plan = try await browser.post(page, from: page, Self.answers)
            #expect(plan.text.contains("The plan: 1 page") && plan.text.contains("About Miller&#39;s Bakery"))
            #expect(begun.withLock { $0.isEmpty })
            let changed = try await browser.post(
                page, from: page, Self.answers.merging(["planned": "1", "change": "1"]) { $1 })
            #expect(changed.text.contains("What do you do?") && changed.text.contains(">We bake</textarea>"))
            let token = try #require(plan.token)
            let made = try await browser.submit(page, Self.answers.merging(["planned": "1", "csrf": token]) { $1 })
            #expect(made.location == "/jobs/\(job)")
            #expect(begun.withLock { $0.first?.slug } == "miller-s-bakery")
            #expect(begun.withLock { $0.first?.language } == "Deutsch")
        }
    }
}
