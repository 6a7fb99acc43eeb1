import Database
import Domain
import FleetIdentity
import Foundation
import Persistence
import Testing

@testable import Coordinator

@Suite struct AuditTests {
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

    /// Kinds of effects that need the machinery of a feature of their own, and the file whose tests cause them.
    private static let elsewhere: [AuditAction: String] = [
        .jobUnlocked: "LeaseReaperTests", .brakeEngaged: "LeaseReaperTests", .brakeReleased: "LeaseReaperTests",
        .brakeCleared: "LeaseReaperTests", .findingsAccepted: "GuardrailTests", .incarnationRaised: "RecoveryTests",
        .recoveryEntered: "RecoveryTests", .recoveryAccepted: "RecoveryTests", .engineConfigured: "EngineServiceTests",
        .replayAccepted: "EngineServiceTests", .generationPlanChanged: "GenerationTests",
        .generationResumed: "GenerationTests", .hostQuarantined: "Operations/HostLifeTests",
        .siteRolledBackLocally: "Operations/HostLifeTests", .rolloutFinished: "Operations/HostLifeTests",
        .backupRestored: "Operations/BackupTests", .versionChecked: "PageCheckTests",
        .lookAccepted: "VersionScreensTests",
    ]

    @Test(
        "A kind of effect that is left to the tests of its feature is counted there",
        arguments: elsewhere.keys.sorted { $0.rawValue < $1.rawValue })
    func counted(action: AuditAction) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: try #require(Self.elsewhere[action]) + ".swift")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains("[\"\(action.rawValue)\"] == 1"), "\(file.lastPathComponent) does not count its rows")
    }

    @Test("Every effect has exactly one row, and there is no kind of effect that no test causes")
    func oneRow() async throws {
        try await Installation.with { system in
            let services = system.services
            var seen: Set<String> = []
            func expect(
                _ action: AuditAction, _ line: SourceLocation = #_sourceLocation,
                _ body: () async throws -> Void
            ) async throws {
                let new = try await rows(system, body)
                #expect(new == [action.rawValue: 1], sourceLocation: line)
                seen.insert(action.rawValue)
            }
            func expectNone(
                _ line: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
            ) async throws {
                let new = try await rows(system, body)
                #expect(new == [:], sourceLocation: line)
            }
            var session: IssuedSession?
            try await expect(.accountRegistered) {
                session = try await system.accounts.register(
                    email: "ada@example.org", password: "correct horse battery", name: "Ada", from: Installation.address
                )
            }
            try await expect(.sessionBegan) {
                session = try await system.accounts.logIn(
                    email: "ada@example.org", password: "correct horse battery", from: Installation.address)
            }
            let stolen = try #require(session).refreshToken
            try await expectNone { session = try await system.accounts.refresh(stolen) }
            try await expect(.sessionRevoked) {
                await #expect(throws: ServiceError.self) { try await system.accounts.refresh(stolen) }
            }
            session = try await system.accounts.logIn(
                email: "ada@example.org", password: "correct horse battery", from: Installation.address)
            try await expect(.sessionEnded) { try await system.accounts.logOut(try #require(session).refreshToken) }
            try await expectNone { try await system.accounts.logOut(try #require(session).refreshToken) }

            var made: SiteID?
            try await expect(.siteCreated) { made = try await system.site("shop") }
            let site = try #require(made)
            try await expect(.siteRenamed) {
                _ = try await services.sites.rename(site.text, to: "The shop", for: system.admin)
            }
            try await expect(.addressesSet) {
                _ = try await services.sites.update(site.text, SiteChange(mode: .spa), for: system.admin)
            }
            try await expect(.domainAdded) {
                _ = try await services.sites.addDomain("shop.example.org", to: site.text, for: system.admin)
            }
            try await expect(.domainRemoved) {
                _ = try await services.sites.removeDomain("shop.example.org", from: site.text, for: system.admin)
            }
            try await expect(.maintenanceSet) {
                _ = try await services.sites.setMaintenance("Back soon", on: site.text, for: system.admin)
            }
            try await expect(.maintenanceCleared) {
                _ = try await services.sites.clearMaintenance(on: site.text, for: system.admin)
            }
            let upload = try system.archive(Installation.page + "<!-- two -->\n")
            try await expect(.versionUploaded) {
                _ = try await services.versions.importArchive(
                    at: upload, into: site.text, promote: false, for: system.admin)
            }
            try await expect(.previewMoved) {
                _ = try await services.releases.setPreview(1, on: site.text, for: system.admin)
            }
            try await expect(.releaseCreated) {
                _ = try await services.releases.promote(2, on: site.text, for: system.admin)
            }
            try await expect(.releaseCreated) {
                _ = try await services.releases.rollBack(on: site.text, to: nil, for: system.admin)
            }

            var invited: Invitation?
            try await expect(.hostInvited) {
                invited = try await services.hosts.invite(roles: ["worker"], for: system.admin)
            }
            var member: HostID?
            try await expect(.hostEnrolled) {
                member = try await services.membership.enrol(
                    secret: try JoinToken(try #require(invited).token).secret.text,
                    signingRequest: try AgentKey().signingRequest(), hostName: "one", agentVersion: "1"
                ).host
            }
            let host = try #require(member)
            try await expect(.certificateIssued) {
                _ = try await services.membership.renew(host, signingRequest: try AgentKey().signingRequest())
            }
            try await expect(.hostDrained) { _ = try await services.hosts.drain(host, for: system.admin) }
            try await expectNone { _ = try await services.hosts.drain(host, for: system.admin) }
            try await expect(.hostResumed) { _ = try await services.hosts.resume(host, for: system.admin) }

            var job: JobID?
            try await expect(.editAccepted) { job = try await system.edit(site) }
            var lease: JobLease?
            // A lease is how work is tried, not an effect; see docs/audit.md.
            try await expectNone { lease = try await system.lease(try #require(job), to: host) }
            let done = try await system.completion(
                try #require(lease), of: site, page: Installation.page + "<!-- three -->\n")
            try await expect(.jobSucceeded) {
                let verdict = try await services.completions.complete(done, from: host)
                #expect(verdict == .applied)
            }
            try await expectNone {
                let verdict = try await services.completions.complete(done, from: host)
                #expect(verdict == .duplicate)
            }
            try await expect(.conversationStarted) {
                _ = try await services.conversations.start(title: nil, on: site.text, for: system.admin)
            }
            try await expect(.locksSet) {
                _ = try await services.locks.set(["legal/"], on: site.text, for: system.admin)
            }
            try await expect(.editAccepted) {
                job = try await services.edits.submit(
                    prompt: "What would you do?", engine: nil, baseVersion: nil, mode: "plan", to: site.text,
                    for: system.admin
                ).edit.job
            }
            let asked = try await system.lease(try #require(job), to: host)
            try await expect(.jobAnswered) {
                _ = try await services.completions.complete(
                    JobCompletion(
                        lease: asked,
                        outcome: .failed(JobFailure(kind: .task, code: "nothing-changed", message: "Nothing.")),
                        summary: "I would wait.", usage: .zero), from: host)
            }
            let failing = try await system.lease(try await system.edit(site), to: host)
            try await expect(.jobFailed) {
                _ = try await services.completions.complete(
                    JobCompletion(
                        lease: failing, outcome: .failed(JobFailure(kind: .task, code: "no", message: "No.")),
                        summary: "", usage: .zero), from: host)
            }
            let running = try await system.edit(site)
            let last = try await system.lease(running, to: host)
            try await expect(.jobCancelRequested) { _ = try await services.jobs.cancel(running, for: system.admin) }
            try await expectNone { _ = try await services.jobs.cancel(running, for: system.admin) }
            try await expect(.jobCancelled) {
                _ = try await services.completions.complete(
                    JobCompletion(lease: last, outcome: .cancelled, summary: "", usage: .zero), from: host)
            }
            let waiting = try await system.edit(site)
            try await expect(.jobCancelled) { _ = try await services.jobs.cancel(waiting, for: system.admin) }
            let poison = try await system.edit(site)
            let reason = JobFailure(kind: .infrastructure, code: "lost", message: "Lost.")
            for _ in 1..<Job.maximumLosses {
                let lease = try await system.lease(poison, to: host)
                try await expectNone { try await services.ledger.lose(poison, lease: lease, because: reason) }
            }
            let lastTry = try await system.lease(poison, to: host)
            try await expect(.jobDied) { try await services.ledger.lose(poison, lease: lastTry, because: reason) }
            try await expect(.hostRevoked) { _ = try await services.hosts.revoke(host, for: system.admin) }
            try await expect(.siteDeleted) { try await services.sites.delete(site.text, for: system.admin) }

            let elsewhere = AuditKindsTests.kinds.union(Self.elsewhere.keys)
            #expect(seen.union(elsewhere.map(\.rawValue)) == Set(AuditAction.allCases.map(\.rawValue)))
            try await services.audit.seal()
            let verified = try await services.audit.verify()
            #expect(Int(verified.head.number) == (try await system.auditRows().values.reduce(0, +)))
        }
    }

    @Test("What was refused leaves no row")
    func refusals() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let stranger = try await system.user("eve")
            let services = system.services
            let before = try await system.auditRows()
            func refused(_ line: SourceLocation = #_sourceLocation, _ body: () async throws -> Void) async throws {
                await #expect(throws: ServiceError.self, sourceLocation: line) { try await body() }
                #expect(try await system.auditRows() == before, sourceLocation: line)
            }
            try await refused { _ = try await system.site("shop") }
            try await refused { _ = try await services.sites.rename(site.text, to: "Mine", for: stranger) }
            try await refused {
                _ = try await services.sites.removeDomain("a.example.org", from: site.text, for: system.admin)
            }
            try await refused { try await services.sites.delete(site.text, for: stranger) }
            try await refused { _ = try await system.edit(site, of: stranger) }
            try await refused { _ = try await services.releases.promote(1, on: site.text, for: system.admin) }
            try await refused { _ = try await services.releases.promote(9, on: site.text, for: system.admin) }
            try await refused { _ = try await services.releases.rollBack(on: site.text, to: nil, for: system.admin) }
            try await refused { _ = try await services.releases.setPreview(9, on: site.text, for: system.admin) }
            try await refused { _ = try await services.hosts.invite(roles: ["worker"], for: stranger) }
            try await refused {
                _ = try await services.membership.enrol(
                    secret: JoinToken.Secret().text, signingRequest: try AgentKey().signingRequest(), hostName: "x",
                    agentVersion: "1")
            }
            try await refused {
                _ = try await system.accounts.logIn(
                    email: "nobody@example.org", password: "wrong wrong wrong", from: Installation.address)
            }
        }
    }

    @Test("Without its row an effect does not happen")
    func together() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            try await system.execute("ALTER TABLE audit_entry RENAME TO lost")
            await #expect(throws: SQLError.self) {
                try await system.services.sites.rename(site.text, to: "Other", for: system.admin)
            }
            await #expect(throws: SQLError.self) { try await system.edit(site) }
            try await system.execute("ALTER TABLE lost RENAME TO audit_entry")
            let view = try await system.services.sites.find(site.text, for: system.admin)
            #expect(view.site.name == "shop")
            let jobs = try await system.services.jobs.list(
                site: nil, state: nil, page: try PageRequest(), for: system.admin)
            #expect(jobs.items.isEmpty)
        }
    }

    @Test("A row says who, what, on what, and in which request")
    func content() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            system.clock.advance(by: .milliseconds(1))
            _ = try await system.services.sites.addDomain("shop.example.org", to: site.text, for: system.admin)
            let page = try await system.services.audit.list(
                AuditStore.Filter(action: "domain.added"), oldestFirst: false, page: try PageRequest(),
                for: system.admin)
            let row = try #require(page.items.first)
            #expect(page.items.count == 1)
            #expect(row.entry.actor == system.admin.user.text)
            #expect(row.entry.subject == site.text)
            #expect(row.entry.site == site.text)
            #expect(row.entry.details == ["domain": "shop.example.org"])
            #expect(row.entry.requestID == "req-1")
            #expect(row.number == 2)
        }
    }

    @Test("Lists are filtered and paged in both orders, for admins alone")
    func listing() async throws {
        try await Installation.with { system in
            let one = try await system.site("one")
            system.clock.advance(by: .milliseconds(1))
            let two = try await system.site("two")
            for number in 0..<5 {
                system.clock.advance(by: .milliseconds(1))
                _ = try await system.services.sites.rename(one.text, to: "Name \(number)", for: system.admin)
            }
            func numbers(
                _ filter: AuditStore.Filter = .init(), oldestFirst: Bool, limit: Int
            ) async throws -> [Int64] {
                var cursor: String?
                var numbers: [Int64] = []
                repeat {
                    let page = try await system.services.audit.list(
                        filter, oldestFirst: oldestFirst, page: try PageRequest(cursor: cursor, limit: limit),
                        for: system.admin)
                    numbers += page.items.map(\.number)
                    cursor = page.nextCursor
                } while cursor != nil && numbers.count < 100
                return numbers
            }
            #expect(try await numbers(oldestFirst: true, limit: 2) == Array(1...7))
            #expect(try await numbers(oldestFirst: false, limit: 3) == (1...7).reversed())
            #expect(try await numbers(.init(site: two.text), oldestFirst: false, limit: 3) == [2])
            #expect(try await numbers(.init(action: "site.created"), oldestFirst: true, limit: 1) == [1, 2])
            #expect(try await numbers(.init(actor: "system"), oldestFirst: true, limit: 1) == [])
            let user = try await system.user("eve")
            await #expect(throws: ServiceError.self) {
                try await system.services.audit.list(.init(), oldestFirst: true, page: try PageRequest(), for: user)
            }
        }
    }

    @Test("Sealing by several at once gives every row one number and leaves no gap")
    func sealing() async throws {
        try await Installation.with { system in
            let site = try await system.site("shop")
            let audit = system.services.audit
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        _ = try await system.services.sites.rename(site.text, to: "Name \(number)", for: system.admin)
                    }
                }
                for _ in 0..<4 { group.addTask { for _ in 0..<10 { try await audit.seal() } } }
                try await group.waitForAll()
            }
            try await audit.seal()
            #expect(try await audit.verify().head.number == 21)
        }
    }

    /// Something that somebody did to the rows, and what verification says of it.
    enum Tampering: String, CaseIterable, Sendable {
        case changed, renumbered, deleted, inserted, swapped, truncated, truncatedWithHead, rewritten

        var statements: [String] {
            switch self {
            case .changed: ["UPDATE audit_entry SET details = '{\"name\":\"Innocent\"}' WHERE number = 4"]
            case .renumbered: ["UPDATE audit_entry SET number = 40 WHERE number = 4"]
            case .deleted: ["DELETE FROM audit_entry WHERE number = 4"]
            case .inserted:
                [
                    "UPDATE audit_entry SET number = number + 1000 WHERE number >= 4",
                    "UPDATE audit_entry SET number = number - 999 WHERE number >= 1000",
                    """
                    INSERT INTO audit_entry SELECT 'audit_x', at, actor, action, subject, site_id, details, request_id,
                        4, (SELECT hash FROM audit_entry WHERE number = 3), hash FROM audit_entry WHERE number = 5
                    """,
                ]
            case .swapped:
                [
                    "UPDATE audit_entry SET number = 1000 WHERE number = 4",
                    "UPDATE audit_entry SET number = 4 WHERE number = 5",
                    "UPDATE audit_entry SET number = 5 WHERE number = 1000",
                ]
            case .truncated: ["DELETE FROM audit_entry WHERE number >= 5"]
            case .truncatedWithHead, .rewritten:
                [
                    "DELETE FROM audit_entry WHERE number >= 5",
                    "UPDATE audit_head SET number = 4, hash = (SELECT hash FROM audit_entry WHERE number = 4)",
                ]
            }
        }

        var expected: AuditChain.Break {
            switch self {
            case .changed: .init(number: 4, kind: .changed)
            case .renumbered, .deleted: .init(number: 4, kind: .missing)
            case .inserted: .init(number: 4, kind: .changed)
            case .swapped: .init(number: 4, kind: .detached)
            case .truncated, .truncatedWithHead: .init(number: 5, kind: .truncated)
            case .rewritten: .init(number: 7, kind: .replaced)
            }
        }
    }

    @Test("Tampering is found, and the first broken row is named", arguments: Tampering.allCases)
    func tampering(_ tampering: Tampering) async throws {
        try await Installation.with { system in
            let audit = system.services.audit
            let site = try await system.site("shop")
            for number in 0..<6 {
                _ = try await system.services.sites.rename(site.text, to: "Name \(number)", for: system.admin)
            }
            let remembered = try await audit.head(for: system.admin)
            #expect(remembered.number == 7)
            #expect(try await audit.verify(expecting: remembered).head == remembered)
            for statement in tampering.statements { try await system.execute(statement) }
            if tampering == .rewritten {
                // Whoever holds the database can make a new chain; the remembered head tells.
                for number in 0..<5 {
                    _ = try await system.services.sites.rename(site.text, to: "Else \(number)", for: system.admin)
                }
                try await audit.seal()
                _ = try await audit.verify()
            }
            if tampering == .truncatedWithHead { _ = try await audit.verify() }
            await #expect(throws: tampering.expected) { try await audit.verify(expecting: remembered) }
            if tampering != .truncatedWithHead, tampering != .rewritten {
                await #expect(throws: tampering.expected) { try await audit.verify() }
            }
        }
    }

    @Test("No two rows have the same canonical text, wherever the bytes of their fields are cut")
    func canonical() {
        func entry(_ subject: String, _ request: String, _ details: [String: String]) -> AuditEntry {
            AuditEntry(
                id: "audit_1", at: Timestamp(millisecondsSinceEpoch: 0), actor: "system", action: "site.created",
                subject: subject, site: nil, details: details, requestID: request)
        }
        let texts = [
            entry("a", "b", [:]), entry("ab", "", [:]), entry("", "ab", [:]), entry("a", "b", ["": ""]),
            entry("a", "b", ["a": "b"]), entry("a", "b", ["ab": ""]), entry("a", "b", ["a": "b\n1:c"]),
            entry("a\n1:b", "", [:]),
        ].map { $0.canonicalText(number: 1, previousHash: AuditHead.genesis.hash) }
        #expect(Set(texts).count == texts.count)
    }

    @Test("Rows of one transaction stand in the order in which they were written, in the same millisecond too")
    func orderOfRows() async throws {
        try await Installation.with { system in
            let now = system.clock.now()
            try await system.database.withTransaction { transaction in
                for number in 0..<200 {
                    try await AuditTrail(stores: system.stores).record(
                        .siteRenamed, on: "\(number)", by: .system, at: now, in: transaction)
                }
            }
            let page = try await system.services.audit.list(
                AuditStore.Filter(action: AuditAction.siteRenamed.rawValue), oldestFirst: true,
                page: try PageRequest(limit: 200), for: system.admin)
            #expect(page.items.map(\.entry.subject) == (0..<200).map { "\($0)" })
        }
    }
}
