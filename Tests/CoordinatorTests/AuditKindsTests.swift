import Domain
import Foundation
import Persistence
import Testing

@testable import Coordinator

/// The kinds of effects that ``AuditTests`` leaves to this.
@Suite struct AuditKindsTests {
    /// What happens between two looks at the log: exactly these rows.
    private func rows(
        _ installation: Installation, _ body: () async throws -> Void
    ) async throws -> [String: Int] {
        let before = try await installation.auditRows()
        try await body()
        return try await installation.auditRows().reduce(into: [:]) { new, row in
            let count = row.value - before[row.key, default: 0]
            if count != 0 { new[row.key] = count }
        }
    }

    static let kinds: Set<AuditAction> = [
        .accountChanged, .passwordChanged, .roleChanged, .accountDisabled, .accountEnabled, .tokenCreated,
        .tokenRevoked, .versionLabelled, .versionWritten, .hostLabelled, .placementChanged, .rolloutPlanned,
        .rolloutCancelled, .generationAccepted, .siteEngineChosen, .budgetSet,
    ]

    @Test("Effects on accounts, labels, places, roll-outs and generations have exactly one row each")
    func oneRowMore() async throws {
        try await Installation.with { system in
            let services = system.services
            var seen: Set<AuditAction> = []
            func expect(
                _ action: AuditAction, _ line: SourceLocation = #_sourceLocation,
                _ body: () async throws -> Void
            ) async throws {
                let new = try await rows(system, body)
                #expect(new == [action.rawValue: 1], sourceLocation: line)
                seen.insert(action)
            }
            let user = try await system.accounts.register(
                email: "ada@example.org", password: "correct horse battery", name: "Ada", from: Installation.address
            ).user
            let ada = Principal(user: user.id, role: .user)
            try await expect(.accountChanged) {
                _ = try await system.accounts.change(
                    name: "Ada L.", keeping: nil, from: Installation.address, for: ada)
            }
            try await expect(.passwordChanged) {
                _ = try await system.accounts.change(
                    password: "another horse battery", currentPassword: "correct horse battery", keeping: nil,
                    from: Installation.address, for: ada)
            }
            var token: IssuedToken?
            try await expect(.tokenCreated) {
                token = try await system.accounts.createToken(name: "CI", scopes: ["read"], for: ada)
            }
            let made = try #require(token).token.id
            try await expect(.tokenRevoked) { _ = try await system.accounts.revokeToken(made, for: ada) }
            try await expect(.roleChanged) {
                _ = try await system.accounts.changeUser(user.id, role: .admin, for: system.admin)
            }
            try await expect(.accountDisabled) {
                _ = try await system.accounts.changeUser(user.id, isDisabled: true, for: system.admin)
            }
            try await expect(.accountEnabled) {
                _ = try await system.accounts.changeUser(user.id, isDisabled: false, for: system.admin)
            }

            let site = try await system.site("shop")
            let upload = try system.archive(Installation.page)
            let version = try await services.versions.importArchive(
                at: upload, into: site.text, promote: false, for: system.admin
            ).version.number
            try await expect(.versionLabelled) {
                _ = try await services.versions.label(
                    version.rawValue, of: site.text, name: "Spring", for: system.admin)
            }
            try await expect(.versionWritten) {
                _ = try await services.versions.write(
                    TextChange(path: "index.html", old: "Hello", index: 0, new: "Good morning"),
                    into: version.rawValue, of: site.text, for: system.admin)
            }
            try await expect(.siteEngineChosen) {
                _ = try await services.sites.setEngine("builtin", of: site.text, for: system.admin)
            }
            try await expect(.budgetSet) {
                _ = try await services.budgets.set(
                    "day", tokens: 1_000, money: nil, minutes: nil, for: system.admin)
            }
            let host = try await system.host(["serving"])
            try await expect(.hostLabelled) {
                _ = try await services.hosts.label(host, "zone=north", for: system.admin)
            }
            try await expect(.placementChanged) {
                _ = try await services.placements.set(
                    PlacementPolicy(copies: 1), of: site.text, for: system.admin)
            }
            var rollout: Rollout?
            try await expect(.rolloutPlanned) {
                rollout = try await services.rollouts.plan(
                    to: "9.9.9", hosts: nil, startsAt: nil, for: system.admin)
            }
            let planned = try #require(rollout).id
            try await expect(.rolloutCancelled) {
                _ = try await services.rollouts.cancel(planned, for: system.admin)
            }
            let brief = try SiteBrief(
                businessName: "Morrow", type: "bakery", description: "Bread by the harbour.", goals: ["Visit the shop"])
            let new = try await rows(system) {
                _ = try await services.generations.generate(
                    brief, slug: nil, engine: nil, reviewsPlan: false, for: system.admin)
            }
            #expect(new["generation.accepted"] == 1)
            seen.insert(.generationAccepted)
            #expect(seen == Self.kinds)
        }
    }
}
