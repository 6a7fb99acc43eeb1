import Testing

@testable import PagewrightCLI

@Suite struct AuditChainTests {
    private func entry(_ number: Int64, after previous: String, subject: String = "site_1") -> AuditEntryBody {
        func make(_ hash: String) -> AuditEntryBody {
            AuditEntryBody(
                number: number, id: "audit_\(number)", at: "2026-11-21T03:47:00.123Z", actor: "user_1",
                action: "site.renamed", subject: subject, siteId: nil, details: [], requestId: "",
                previousHash: previous,
                hash: hash)
        }
        return make(AuditChain.hash(of: make("")))
    }

    @Test("The hash is the one that the rule in docs/audit.md gives, computed by another program")
    func vector() {
        let entry = AuditEntryBody(
            number: 1, id: "audit_0123456789abcdefghjkmn", at: "2026-11-21T03:47:00.123Z", actor: "user_1",
            action: "domain.added", subject: "site_1", siteId: "site_1",
            details: [.init(name: "domain", value: "münchen.example"), .init(name: "note", value: "")],
            requestId: "req-é", previousHash: String(repeating: "0", count: 64), hash: "")
        #expect(
            AuditChain.hash(of: entry) == "4a55a29f17cad8b7b07235ea83f1d3435203a499cd39971126de89b53e0ef09d")
    }

    @Test("A whole chain is followed to its head")
    func whole() {
        var chain = AuditChain()
        var previous = AuditHeadBody.genesis.hash
        for number: Int64 in 1...5 {
            let next = entry(number, after: previous)
            #expect(chain.check(next) == nil)
            previous = next.hash
        }
        #expect(chain.head == AuditHeadBody(number: 5, hash: previous))
    }

    @Test("The first row that is wrong is named")
    func broken() {
        let first = entry(1, after: AuditHeadBody.genesis.hash)
        let second = entry(2, after: first.hash)
        var missing = AuditChain()
        #expect(missing.check(second) == "row 1 is missing")
        var detached = AuditChain()
        _ = detached.check(first)
        #expect(detached.check(entry(2, after: second.hash)) == "row 2 does not follow the row before it")
        var changed = AuditChain()
        let forged = AuditEntryBody(
            number: 1, id: first.id, at: first.at, actor: "user_2", action: first.action, subject: first.subject,
            siteId: nil, details: [], requestId: "", previousHash: first.previousHash, hash: first.hash)
        #expect(changed.check(forged) == "row 1 was changed")
    }

    @Test("A head is read as it is printed, and nothing else is")
    func head() throws {
        let hash = String(repeating: "ab", count: 32)
        #expect(try AuditHeadBody(argument: "17:\(hash)").text == "17:\(hash)")
        for text in ["", "17", ":\(hash)", "17:\(hash.uppercased())", "-1:\(hash)", "17:\(hash)0", "17:\(hash):"] {
            #expect(throws: CLIError.self) { try AuditHeadBody(argument: text) }
        }
    }
}
