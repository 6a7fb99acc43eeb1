import Domain
import FleetIdentity
import Foundation
import Testing

@testable import Coordinator

/// What machines do, on the pages.
@Suite(.timeLimit(.minutes(5))) struct MachineTests {
    private static func enrol(_ roles: [String], in web: WebFixture) async throws -> (host: HostID, admin: Principal) {
        let admin = Principal(user: UserID(at: web.clock.now()), role: .admin)
        let invitation = try await web.coordinator.hosts.invite(roles: roles, for: admin)
        let identity = try await web.coordinator.membership.enrol(
            secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
            hostName: "cellar", agentVersion: "1")
        return (identity.host, admin)
    }

    @Test("A host is drained, resumed and revoked on its page, and says what it is for")
    func host() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "admin@example.org")
            let (host, _) = try await Self.enrol(["worker", "serving"], in: web)
            let page = "/fleet/\(host)"
            let shown = try await browser.get(page).text
            #expect(shown.contains("works on changes and serves sites") && shown.contains("Not connected"))
            #expect(shown.contains("Start its agent there"))
            let drained = try await browser.post(page + "/drain", from: page, ["back": "host"])
            #expect(drained.text.contains("Draining"))
            let resumed = try await browser.post(page + "/resume", from: page, ["back": "host"])
            #expect(resumed.text.contains("Not connected") && !resumed.text.contains("Draining"))
            let bob = try await web.browser(as: "bob@example.org")
            let token = try #require(try await bob.get("/sites").token)
            #expect(try await bob.submit(page + "/revoke", ["csrf": token]).status == 403)
            let revoked = try await browser.post(page + "/revoke", from: page, ["back": "host"])
            #expect(revoked.text.contains("Revoked") && !revoked.text.contains("/revoke\""))
        }
    }

    @Test("The page of a host with many sites shows the first of them and counts all")
    func sites() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "admin@example.org")
            let (host, _) = try await Self.enrol(["serving"], in: web)
            let me = try #require(
                try await browser.get("/profile").text.firstMatch(of: /<code>(user_[0-9a-z]+)<\/code>/)
            ).1
            let owner = Principal(user: try #require(UserID(String(me))), role: .admin)
            for number in 1...53 {
                _ = try await web.coordinator.sites.create(
                    slug: "site-\(number)", name: "Site \(number)", template: "plain", for: owner)
            }
            let text = try await browser.get("/fleet/\(host)").text
            #expect(text.contains("53 sites here") && text.contains("and 3 more."))
            #expect(text.matches(of: /href="\/sites\/site-[0-9]+\/studio"/).count == 50)
        }
    }

    @Test("The log of a job goes on behind the piece that a page has, without a gap or a repeat")
    func log() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let (host, admin) = try await Self.enrol(["worker"], in: web)
            let services = web.coordinator
            let edit = try await services.edits.submit(
                prompt: "Change the headline", engine: nil, baseVersion: nil, to: "bakery", for: admin)
            let offer = try #require(try await services.ledger.grant(edit.job.job.id, to: host, able: [.builtin]))
            let isTaken = try await services.ledger.accept(offer.lease, from: host)
            try #require(isTaken)
            func say(_ text: String) async throws {
                try await services.ledger.appendLog(text, droppedBytes: 0, lease: offer.lease, from: host)
            }
            try await say("one <b>\n")
            let path = "/jobs/\(edit.job.job.id)"
            let page = try await browser.get(path).text
            #expect(page.contains(">one &lt;b&gt;\n</pre>"))
            let number = try #require(page.firstMatch(of: /data-number="([0-9]+)"/)).1
            try await say("two\n")
            try await say("three\n")
            let rest = try await browser.get("\(path)/log?after=\(number)")
            #expect(rest.text == "two\nthree\n")
            let last = try #require(rest.headers.first(name: "x-log-number"))
            #expect(try await browser.get("\(path)/log?after=\(last)").text == "")
            let stranger = try await web.browser(as: "b@example.org")
            #expect(try await stranger.get("\(path)/log?after=0").status == 404)
        }
    }
}
