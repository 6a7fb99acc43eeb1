import Domain
import Testing

@testable import Coordinator

@Suite struct BudgetTests {
    enum Unit: String, CaseIterable, Sendable { case tokens, money, minutes }

    /// The rule that refuses a request now; `nil` when it is taken.
    private func refusal(_ system: Installation, _ site: SiteID) async throws -> String? {
        do {
            _ = try await system.services.edits.submit(
                prompt: "More", engine: "model", baseVersion: nil, to: site.text, for: system.admin)
            return nil
        } catch let error as ServiceError where error.code == .quotaExceeded {
            return error.rule
        }
    }

    @Test(
        "Tokens, money and minutes each have a limit, for an edit, a site and a day", arguments: Budget.Scope.allCases,
        Unit.allCases)
    func limit(scope: Budget.Scope, unit: Unit) async throws {
        try await Installation.with { system in
            try await EngineServiceTests.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            let other = try await system.site("two")
            _ = try await system.services.budgets.set(
                scope.rawValue, tokens: unit == .tokens ? 1000 : nil, money: unit == .money ? 2000 : nil,
                minutes: unit == .minutes ? 1 : nil, for: system.admin)
            let offer = try await EngineServiceTests.grant(system, site, host)
            system.clock.advance(by: .seconds(61))
            // 1,050 tokens, of which 900 cost three millionths each.
            let used = TokenUsage(uncachedInput: 900, cachedInput: 100, output: 50)
            if scope == .edit {
                // What would be tried again otherwise.
                _ = try await system.services.completions.complete(
                    EngineServiceTests.failed(offer, .modelUnavailable("x"), usage: used), from: host)
                let state = try await EngineServiceTests.state(system, offer.lease.job).job.state
                guard case .failed(let failure) = state else {
                    Issue.record("it is tried again: \(state)")
                    return
                }
                #expect(failure.code == "budget-edit")
                #expect(try await refusal(system, site) == nil, "the next edit has a budget of its own")
            } else {
                let completion = try await EngineServiceTests.completion(
                    system, offer, page: Installation.page + "<!-- red -->\n", usage: used)
                _ = try await system.services.completions.complete(completion, from: host)
                #expect(try await refusal(system, site) == "budget-\(scope.rawValue)")
                #expect(try await refusal(system, other) == (scope == .day ? "budget-day" : nil))
            }
        }
    }

    @Test("An edit that failed, or was stopped, is not charged")
    func uncharged() async throws {
        try await Installation.with { system in
            try await EngineServiceTests.configure(system)
            let host = try await system.host()
            let site = try await system.site("one")
            _ = try await system.services.budgets.set("day", tokens: 1000, money: nil, minutes: nil, for: system.admin)
            let used = TokenUsage(uncachedInput: 5000, cachedInput: 0, output: 0)
            let failing = try await EngineServiceTests.grant(system, site, host)
            _ = try await system.services.completions.complete(
                EngineServiceTests.failed(failing, .modelRefused, usage: used), from: host)
            let stopped = try await EngineServiceTests.grant(system, site, host)
            _ = try await system.services.jobs.cancel(stopped.lease.job, for: system.admin)
            _ = try await system.services.completions.complete(
                JobCompletion(lease: stopped.lease, outcome: .cancelled, summary: "", usage: used), from: host)
            for job in [failing.lease.job, stopped.lease.job] {
                let entries = try await system.services.budgets.usage(of: job, for: system.admin)
                #expect(entries.map(\.usage.total) == [5000] && entries.allSatisfy { !$0.isCharged }, "\(entries)")
            }
            #expect(try await refusal(system, site) == nil)
        }
    }
}
