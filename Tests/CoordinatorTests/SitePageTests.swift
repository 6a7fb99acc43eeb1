import Database
import Domain
import Persistence
import TestDatabases
import Testing

@testable import Coordinator

/// Pages of the list of sites.
@Suite struct SitePageTests {
    private static func makeHosts(_ names: [String], _ here: Installation) async throws {
        let now = here.clock.now()
        try await here.database.withTransaction { transaction in
            for name in names {
                try await here.stores.hosts.insert(
                    Host(
                        id: HostID(at: now), name: name, roles: [.serving], certificateSerial: name,
                        certificateExpiresAt: now, createdAt: now), in: transaction)
            }
        }
    }

    @Test("A page shows of each site what the site by itself shows", arguments: TestDatabase.allCases)
    func same(on driver: TestDatabase) async throws {
        try await Installation.with(on: driver) { here in
            let sites = here.services.sites
            try await Self.makeHosts(["one", "two", "gone"], here)
            for slug in ["first", "second", "third", "fourth"] {
                here.clock.advance(by: .seconds(1))
                _ = try await sites.create(slug: slug, name: "The \(slug)", template: nil, for: here.admin)
            }
            _ = try await sites.addDomain("b.example.org", to: "second", for: here.admin)
            _ = try await sites.addDomain("a.example.org", to: "second", for: here.admin)
            _ = try await sites.setMaintenance("Back soon", on: "third", for: here.admin)
            _ = try await sites.setEngine("builtin", of: "fourth", for: here.admin)
            try await here.database.withTransaction { transaction in
                try await transaction.execute("UPDATE host SET state = 'revoked' WHERE name = 'gone'")
                try await transaction.execute(
                    """
                    UPDATE desired_site SET removed = 1, state = 'applied'
                    WHERE host_id = (SELECT id FROM host WHERE name = 'two')
                        AND site_id = (SELECT id FROM site WHERE slug = 'first')
                    """)
            }
            let newest = try await sites.list(for: here.admin, page: try PageRequest(limit: 3))
            #expect(newest.items.map(\.site.slug.text) == ["fourth", "third", "second"])
            #expect(newest.items[2].domains.map(\.text) == ["a.example.org", "b.example.org"])
            #expect(newest.items[0].serving.map(\.hostName).sorted() == ["one", "two"])
            #expect(newest.items[0].changedAt != nil)
            let rest = try await sites.list(
                for: here.admin, page: try PageRequest(cursor: newest.nextCursor, limit: 3))
            #expect(rest.items.map(\.site.slug.text) == ["first"] && rest.nextCursor == nil)
            #expect(rest.items[0].serving.map(\.hostName) == ["one"])
            for view in newest.items + rest.items {
                let alone = try await sites.find(view.site.id.text, for: here.admin)
                #expect(String(describing: view) == String(describing: alone))
            }
        }
    }

    @Test("A page has its owner's sites or what was found, and nothing deleted", arguments: TestDatabase.allCases)
    func selection(on driver: TestDatabase) async throws {
        try await Installation.with(on: driver) { here in
            let sites = here.services.sites
            let ada = Principal(user: try await Self.makeUser("ada@example.org", here), role: .user)
            _ = try await sites.create(slug: "admins", name: "Admin's", template: nil, for: here.admin)
            for slug in ["bakery", "butcher", "shop"] {
                _ = try await sites.create(slug: slug, name: slug, template: nil, for: ada)
            }
            try await sites.delete("shop", for: ada)
            let page = try PageRequest(limit: 10)
            func slugs(of principal: Principal, _ word: String = "") async throws -> Set<String> {
                Set(try await sites.list(for: principal, matching: word, page: page).items.map(\.site.slug.text))
            }
            #expect(try await slugs(of: ada) == ["bakery", "butcher"])
            #expect(try await slugs(of: here.admin) == ["admins", "bakery", "butcher"])
            #expect(try await slugs(of: ada, "BUT") == ["butcher"])
        }
    }

    private static func makeUser(_ email: String, _ here: Installation) async throws -> UserID {
        try await here.accounts.register(
            email: email, password: "correct horse battery", name: "Ada", from: Installation.address
        ).user.id
    }
}
