import Domain
import Testing

@Suite struct SiteTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_000_000)

    private static func makeSite() throws -> Site {
        Site(id: SiteID(at: now), owner: UserID(at: now), slug: try Slug("bakery"), name: "Bakery", createdAt: now)
    }

    @Test("Rolling back is promoting an older version, and versions keep their numbers")
    func pointers() throws {
        var site = try Self.makeSite()
        #expect(site.takeVersionNumber() == .first)
        let second = site.takeVersionNumber()
        let user = site.owner
        let first = try site.promote(.first, by: user, at: Self.now)
        #expect(first.number == 1 && first.replaced == nil)
        let promoted = try site.promote(second, by: user, at: Self.now)
        #expect(promoted.number == 2 && promoted.replaced == .first && site.previous == .first)
        let back = try site.promote(.first, by: user, at: Self.now)
        #expect(back.number == 3 && site.live == .first && site.previous == second)
        #expect(site.takeVersionNumber().rawValue == 3)
    }

    @Test("A version that does not exist can be neither shown nor promoted, and one that is live not again")
    func refusals() throws {
        var site = try Self.makeSite()
        _ = site.takeVersionNumber()
        let third = try VersionNumber(3)
        #expect(throws: ServiceError.self) { try site.showPreview(of: third) }
        #expect(throws: ServiceError.self) { try site.promote(third, by: site.owner, at: Self.now) }
        _ = try site.promote(.first, by: site.owner, at: Self.now)
        #expect { try site.promote(.first, by: site.owner, at: Self.now) } throws: {
            ($0 as? ServiceError)?.code == .conflict
        }
    }

    @Test("Fences grow, and a new incarnation is above all of the one before")
    func fences() throws {
        var site = try Self.makeSite()
        let first = site.raiseFence()
        #expect(site.raiseFence() > first)
        #expect(Fence(incarnation: 1) > Fence(rawValue: (1 << 48) - 1))
        #expect(Fence(incarnation: 3).next.incarnation == 3)
    }

    @Test(
        "Slugs",
        arguments: [
            ("bakery", true), ("a-b-c", true), ("x1y", true), ("ab", false), ("-ab", false), ("ab-", false),
            ("a--b", false), ("Bakery", false), ("bäckerei", false), ("www", false), ("a.b", false), ("", false),
            (String(repeating: "a", count: 41), false), (String(repeating: "a", count: 40), true),
        ])
    func slugs(text: String, isGood: Bool) {
        #expect(((try? Slug(text)) != nil) == isGood)
    }

    @Test(
        "Domain names",
        arguments: [
            ("www.example.org", "www.example.org"), ("WWW.Example.org.", "www.example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a--b.example", "a--b.example"), ("example", nil),
            ("127.0.0.1", nil), ("-a.example", nil), ("a_b.example", nil), ("../../etc", nil), ("a..b", nil), ("", nil),
            (String(repeating: "a", count: 64) + ".org", nil),
        ])
    func domains(text: String, expected: String?) {
        #expect((try? DomainName(text))?.text == expected)
    }
}
