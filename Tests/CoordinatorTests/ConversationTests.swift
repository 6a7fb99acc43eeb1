import Database
import Domain
import Persistence
import Testing

@testable import Coordinator

/// Talking about a site: turns, plans, tries, and taking back.
@Suite struct ConversationTests {
    private func submit(
        _ system: Installation, _ site: SiteID, _ prompt: String, engine: String? = nil, mode: String? = nil,
        conversation: String? = nil
    ) async throws -> (edit: Edit, job: JobView) {
        try await system.services.edits.submit(
            prompt: prompt, engine: engine, baseVersion: nil, mode: mode, conversation: conversation, to: site.text,
            for: system.admin)
    }

    private func finish(
        _ system: Installation, _ site: SiteID, _ job: JobID, by host: HostID, headline: String? = nil,
        outcome: JobCompletion.Outcome? = nil, summary: String = "Done"
    ) async throws {
        guard let offer = try await system.services.ledger.grant(job, to: host, able: [.builtin, .codex]) else {
            throw ServiceError(.internalError, "\(job) is not ready")
        }
        _ = try await system.services.ledger.accept(offer.lease, from: host)
        let page = Installation.page.replacing("Hello", with: headline ?? "Hello")
        let completion = try await system.completion(offer.lease, of: site, page: page)
        let verdict = try await system.services.completions.complete(
            JobCompletion(
                lease: offer.lease, outcome: outcome ?? completion.outcome, summary: summary, usage: .zero), from: host)
        #expect(verdict == .applied)
    }

    @Test("Edits belong to the newest conversation, and the first edit begins one")
    func conversations() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let first = try await submit(system, site, "Change the headline to \"A\"")
            let second = try await submit(system, site, "Change the headline to \"B\"")
            let conversation = try #require(first.edit.conversation)
            #expect(second.edit.conversation == conversation)
            system.clock.advance(by: .seconds(1))
            let started = try await system.services.conversations.start(
                title: "Christmas", on: site.text, for: system.admin)
            #expect(try await submit(system, site, "Change the headline to \"C\"").edit.conversation == started.id)
            #expect(
                try await submit(system, site, "Back", conversation: conversation.text).edit.conversation
                    == conversation)
            let listed = try await system.services.conversations.list(
                of: site.text, page: try PageRequest(), for: system.admin)
            #expect(listed.items.map(\.id) == [started.id, conversation])
            let turns = try await system.services.conversations.turns(
                conversation, of: site.text, page: try PageRequest(), for: system.admin)
            #expect(turns.items.compactMap(\.edit?.prompt.text).contains("Change the headline to \"A\""))
            #expect(turns.items.count == 3)
            let other = try await system.site("other")
            await #expect(throws: ServiceError.self) {
                try await submit(system, other, "x", conversation: conversation.text)
            }
        }
    }

    @Test("An engine is told what was said before; the second message waits in line and says its place")
    func memory() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let first = try await submit(system, site, "Make the headline warm", engine: "codex")
            system.clock.advance(by: .seconds(1))
            let second = try await submit(system, site, "And now shorter", engine: "codex")
            #expect(second.job.wait?.reason == .siteBusy && second.job.wait?.position == 1)
            try await finish(
                system, site, first.edit.job, by: host, headline: "Warm bread", summary: "It says Warm bread now.")
            let offer = try #require(
                try await system.services.ledger.grant(second.edit.job, to: host, able: [.codex]))
            #expect(offer.prompt.contains("Make the headline warm"))
            #expect(offer.prompt.contains("It says Warm bread now.") && offer.prompt.contains("became version 2"))
            #expect(offer.prompt.hasSuffix("And now shorter"))
        }
    }

    @Test("A plan changes nothing and names files; \"do it\" carries it out", arguments: [true, false])
    func plan(byWords: Bool) async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let plan = try await submit(system, site, "Make the headline warm", engine: "codex", mode: "plan")
            try await finish(
                system, site, plan.edit.job, by: host,
                outcome: .failed(JobFailure(kind: .task, code: "nothing-changed", message: "Nothing was changed.")),
                summary: "I would write a warmer headline:\n- index.html\n- styles.css")
            let answered = try await system.services.jobs.find(plan.edit.job, for: system.admin)
            #expect(answered.job.stateName == .answered && answered.edit?.plannedFiles == ["index.html"])
            #expect(answered.summary.hasPrefix("I would"))
            #expect(try await system.services.sites.find(site.text, for: system.admin).site.lastVersion == .first)

            system.clock.advance(by: .seconds(1))
            let run =
                byWords
                ? try await submit(system, site, "Do it!")
                : try await system.services.edits.run(plan: plan.edit.id, of: site.text, for: system.admin)
            #expect(run.edit.plan == plan.edit.id && run.edit.prompt == plan.edit.prompt && run.edit.mode == .change)
            #expect(run.edit.engine == .codex)
            let offer = try #require(try await system.services.ledger.grant(run.edit.job, to: host, able: [.codex]))
            #expect(offer.prompt.contains("I would write a warmer headline"))
        }
    }

    @Test("A plan of an engine that changes files all the same makes no version and names them")
    func disobedientPlan() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let plan = try await submit(system, site, "Change the headline to \"Hi\"", mode: "plan")
            try await finish(system, site, plan.edit.job, by: host, headline: "Hi")
            let answered = try await system.services.jobs.find(plan.edit.job, for: system.admin)
            #expect(answered.job.stateName == .answered && answered.edit?.plannedFiles == ["index.html"])
            #expect(try await system.services.sites.find(site.text, for: system.admin).site.lastVersion == .first)
        }
    }

    @Test("Only an answered plan can be carried out")
    func noPlan() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let edit = try await submit(system, site, "Do it")
            #expect(edit.edit.plan == nil)
            for id in [edit.edit.id, try await submit(system, site, "x", mode: "plan").edit.id] {
                await #expect {
                    try await system.services.edits.run(plan: id, of: site.text, for: system.admin)
                } throws: { ($0 as? ServiceError)?.rule == "plan-answered" }
            }
        }
    }

    @Test("Undo shows what the preview was made from, down to the first version")
    func undo() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let edit = try await submit(system, site, "Change the headline to \"Hi\"")
            try await finish(system, site, edit.edit.job, by: host, headline: "Hi")
            func preview() async throws -> VersionNumber? {
                try await system.services.sites.find(site.text, for: system.admin).site.preview
            }
            #expect(try await preview() == VersionNumber(unchecked: 2))
            let undone = try await system.services.releases.undo(on: site.text, for: system.admin)
            #expect(undone.site.preview == .first)
            #expect(try await system.auditRows()["preview.moved"] == 1)
            await #expect {
                try await system.services.releases.undo(on: site.text, for: system.admin)
            } throws: { ($0 as? ServiceError)?.rule == "nothing-to-undo" }
            #expect(try await preview() == .first)
        }
    }

    @Test("Three tries are siblings on one base, and the one that is picked becomes the preview")
    func variants() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let tries = try await system.services.edits.tryVariants(
                3, prompt: "Make the headline warm", engine: "codex", baseVersion: nil, to: site.text,
                for: system.admin)
            #expect(tries.map(\.edit.variant?.number) == [1, 2, 3])
            #expect(tries.allSatisfy { $0.job.job.isActive }, "all wait for a worker, none for another")
            for (number, one) in tries.enumerated() {
                try await finish(system, site, one.edit.job, by: host, headline: "Try \(number + 1)")
            }
            let versions = try await system.services.versions.list(
                of: site.text, page: try PageRequest(), for: system.admin
            ).items.map(\.version)
            #expect(versions.count == 4 && versions.prefix(3).allSatisfy { $0.parent == .first })
            #expect(try await system.services.sites.find(site.text, for: system.admin).site.preview == .first)
            let picked = try await system.services.releases.pick(tries[1].edit.id, on: site.text, for: system.admin)
            #expect(picked.site.preview == VersionNumber(unchecked: 3))
            for count in [0, 4] {
                await #expect(throws: ServiceError.self) {
                    try await system.services.edits.tryVariants(
                        count, prompt: "x", engine: nil, baseVersion: nil, to: site.text, for: system.admin)
                }
            }
        }
    }

    private func completion(
        _ system: Installation, _ lease: JobLease, _ site: SiteID, headline: String
    ) async throws -> JobCompletion {
        try await system.completion(lease, of: site, page: Installation.page.replacing("Hello", with: headline))
    }

    @Test("Three tries are worked on at the same time and end in any order; what the site shows has one writer")
    func overlap() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let busy = try await submit(system, site, "Change the headline to \"First\"")
            // The line is in the order of the names, which are in that of the clock.
            system.clock.advance(by: .seconds(1))
            let tries = try await system.services.edits.tryVariants(
                3, prompt: "Make the headline warm", engine: nil, baseVersion: nil, to: site.text, for: system.admin)
            system.clock.advance(by: .seconds(1))
            let later = try await submit(system, site, "Change the headline to \"Later\"")
            #expect(!tries.contains { $0.job.job.isActive }, "an edit that moves the preview is worked on")
            try await finish(system, site, busy.edit.job, by: host, headline: "First")

            // All three at once, and nothing else.
            var leases: [JobLease] = []
            for one in tries { leases.append(try await system.lease(one.edit.job, to: host)) }
            #expect(leases[0].fence < leases[1].fence && leases[1].fence < leases[2].fence)
            #expect(try await system.services.ledger.grant(later.edit.job, to: host, able: [.builtin]) == nil)
            let (renewed, lost) = try await system.services.ledger.renew(leases, from: host)
            #expect(renewed == leases && lost.isEmpty)

            // One is lost and tried again, while the others go on: what its first attempt says later is stale.
            try await system.services.ledger.lose(
                leases[1].job, lease: leases[1],
                because: JobFailure(kind: .infrastructure, code: "host-silent", message: "The host fell silent."))
            let again = try await system.lease(leases[1].job, to: host)
            var verdicts: [CompletionVerdict] = []
            for (lease, word) in [(leases[1], "Stale"), (leases[2], "C"), (leases[0], "A"), (again, "B"), (again, "B")]
            {
                verdicts.append(
                    try await system.services.completions.complete(
                        try await completion(system, lease, site, headline: word), from: host))
                if word == "A" {
                    #expect(try await system.services.ledger.grant(later.edit.job, to: host, able: [.builtin]) == nil)
                }
            }
            #expect(verdicts == [.stale, .applied, .applied, .applied, .duplicate])

            let shown = VersionNumber(unchecked: 2)
            let view = try await system.services.sites.find(site.text, for: system.admin)
            #expect(view.site.preview == shown, "no try moved it")
            let versions = try await system.services.versions.list(
                of: site.text, page: try PageRequest(), for: system.admin
            ).items.map(\.version)
            #expect(versions.count == 5 && Set(versions.map(\.digest)).count == 5)
            try await finish(system, site, later.edit.job, by: host, headline: "Later")
            let last = try await system.services.sites.find(site.text, for: system.admin)
            #expect(last.site.preview == VersionNumber(unchecked: 6))
        }
    }

    @Test("A try is told everything: it neither takes nor leaves what an engine remembers")
    func triesWithoutMemory() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            func offered(_ job: JobID) async throws -> JobOffer {
                let offer = try #require(
                    try await system.services.ledger.grant(job, to: host, able: [.builtin, .codex]))
                _ = try await system.services.ledger.accept(offer.lease, from: host)
                _ = try await system.services.completions.complete(
                    try await completion(system, offer.lease, site, headline: "\(job)"), from: host)
                system.clock.advance(by: .seconds(1))
                return offer
            }
            let before = try await offered(try await submit(system, site, "One", engine: "codex").edit.job)
            let tries = try await system.services.edits.tryVariants(
                2, prompt: "Two", engine: "codex", baseVersion: nil, to: site.text, for: system.admin)
            for one in tries { #expect(try await offered(one.edit.job).conversation.isEmpty) }
            let after = try await offered(try await submit(system, site, "Three", engine: "codex").edit.job)
            #expect(!before.conversation.isEmpty && !after.conversation.isEmpty)
            #expect(before.conversation != after.conversation, "a memory that knows nothing of the tries is left alone")
            let next = try await offered(try await submit(system, site, "Four", engine: "codex").edit.job)
            #expect(next.conversation == after.conversation)
        }
    }

    @Test("A comparison shows lines, what readers see, and the difference in findings and weight")
    func comparison() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let host = try await system.host()
            let edit = try await submit(system, site, "Change the headline to \"Hi\"")
            try await finish(system, site, edit.edit.job, by: host, headline: "Hi")
            let comparison = system.services.comparison
            let subject = VersionComparison.Subject.versions(from: 1, to: 2, site: site.text)
            let text = try await comparison.text(subject, for: system.admin)
            guard case .text(let diff)? = text.first?.content else {
                Issue.record("there is no text")
                return
            }
            #expect(diff.added == 1 && diff.removed == 1)
            #expect(diff.pieces.joined().filter(\.isChanged).map(\.text) == ["Hello", "Hi"])
            let outline = try await comparison.outline(subject, for: system.admin)
            #expect(outline.flatMap(\.entries).map(\.sentence) == ["Changed the heading \"Hello\" to \"Hi\"."])
            let delta = try await comparison.delta(from: 1, to: 2, of: site.text, for: system.admin)
            #expect(delta.bytesAfter - delta.bytesBefore == -3 && delta.appeared.isEmpty)
        }
    }
}
