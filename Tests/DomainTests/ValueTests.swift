import Domain
import Testing

@Suite struct ValueTests {
    @Test("Whatever a task says that it used, sums of it do not overflow")
    func usage() {
        let most = TokenUsage(uncachedInput: .max, cachedInput: .min, output: .max)
        #expect(most.cachedInput == 0)
        #expect((most + most) == most)
        #expect(most.total > 0)
    }

    @Test("A pattern of many stars is decided at once", .timeLimit(.minutes(1)))
    func stars() throws {
        let pattern = try PathPattern(String(repeating: "**/*/", count: 16) + "zz")
        let folders = (0..<31).map { "d\($0)" }.joined(separator: "/")
        #expect(try !pattern.matches(SitePath(folders + "/yy")))
        #expect(try pattern.matches(SitePath(folders + "/zz")))
    }

    @Test(
        "Times are written as RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_232_820_123, "2026-11-21T03:47:00.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timestamps(milliseconds: Int64, text: String) {
        #expect(Timestamp(millisecondsSinceEpoch: milliseconds).description == text)
    }

    @Test("Identifiers say what they are, sort by time, and read back")
    func identifiers() {
        let early = SiteID(at: Timestamp(millisecondsSinceEpoch: 1))
        let late = SiteID(at: Timestamp(millisecondsSinceEpoch: 2))
        #expect(early < late)
        #expect(SiteID(early.text) == early)
        #expect(JobID(early.text) == nil)
        #expect(SiteID("site_../../../../etc/passwd") == nil)
        #expect(SiteID("site_" + String(repeating: "u", count: 22)) == nil)
    }

    @Test("Prompts have 1 to 20,000 characters")
    func prompts() throws {
        #expect(throws: ServiceError.self) { try Prompt("") }
        #expect(throws: ServiceError.self) { try Prompt(" \n\t ") }
        #expect(try Prompt(String(repeating: "é", count: 20_000)).text.count == 20_000)
        #expect(throws: ServiceError.self) { try Prompt(String(repeating: "x", count: 20_001)) }
    }

    @Test("E-mail addresses are compared in lower case; what is none is refused")
    func emails() throws {
        #expect(try EmailAddress(" Ann@Example.ORG ").text == "ann@example.org")
        for text in ["", "ann", "ann@", "@example.org", "a b@example.org", "ann@example", "a@b@c.d", "a@.org"] {
            #expect(throws: ServiceError.self) { try EmailAddress(text) }
        }
    }

    @Test("Passwords have 10 characters to 72 bytes, and never show themselves")
    func passwords() throws {
        #expect(throws: ServiceError.self) { try Password(new: "short") }
        #expect(throws: ServiceError.self) { try Password(new: String(repeating: "é", count: 37)) }
        #expect("\(try Password(new: "correct horse"))".contains("horse") == false)
    }

    @Test("Digests and tokens are exact hexadecimal")
    func hexadecimal() throws {
        let bytes = Array(UInt8(0)...UInt8(31))
        let digest = try #require(ContentDigest(bytes: bytes))
        #expect(digest.bytes == bytes)
        #expect(ContentDigest(digest.text.uppercased()) == nil)
        #expect(ContentDigest(String(digest.text.dropLast())) == nil)
        #expect(Hexadecimal.bytes(of: "0g") == nil)
        var generator = SystemRandomNumberGenerator()
        let token = LeaseToken(using: &generator)
        #expect(LeaseToken(token.text) == token)
        #expect("\(token)".count < 12)
    }

    @Test("A host admits its current and its pending certificate, and forgets the old one")
    func certificates() throws {
        let now = Timestamp(millisecondsSinceEpoch: 0)
        var host = Host(
            id: HostID(at: now), name: "h", roles: [.serving], certificateSerial: "01", pendingSerial: "02",
            certificateExpiresAt: now, createdAt: now)
        #expect(try !host.admit(serial: "01"))
        #expect(try host.admit(serial: "02"))
        #expect(throws: ServiceError.self) { try host.admit(serial: "01") }
        host.state = .revoked
        #expect(throws: ServiceError.self) { try host.admit(serial: "02") }
    }

    @Test("What is desired has one text, whatever the order of its names; every part is in it")
    func desiredText() throws {
        let now = Timestamp(millisecondsSinceEpoch: 0)
        let site = SiteID(at: now)
        let names = [try DomainName("b.example"), try DomainName("a.example")]
        let tree = DesiredSite.Tree(
            number: .first, digest: ContentDigest(String(repeating: "a", count: 64))!, signature: [])
        let one = DesiredSite(site: site, generation: 1, live: tree, liveNames: names)
        let same = DesiredSite(site: site, generation: 2, live: tree, liveNames: names.reversed())
        #expect(one.canonicalText == same.canonicalText)
        let others = [
            DesiredSite(site: site, generation: 1, liveNames: names),
            DesiredSite(site: site, generation: 1, live: tree, preview: tree, liveNames: names),
            DesiredSite(site: site, generation: 1, live: tree, previous: tree, liveNames: names),
            DesiredSite(site: site, generation: 1, live: tree, liveNames: [names[0]]),
            DesiredSite(site: site, generation: 1, live: tree, liveNames: names, previewNames: names),
            DesiredSite(site: site, generation: 1, live: tree, liveNames: names, maintenance: ""),
            DesiredSite(site: site, generation: 1, isRemoved: true),
        ]
        #expect(Set(others.map(\.canonicalText) + [one.canonicalText]).count == others.count + 1)
        #expect(one.trees.count == 1)
    }
}
