import Artifacts
import Domain
import FleetIdentity
import Testing

@testable import Coordinator
@testable import RESTAPI

@Suite struct EditingAPITests {
    private static let form = "<h1>Hello</h1><form action=\"/\"><button>Send</button></form>"

    private static let admin = Principal(user: UserID(unchecked: "user_0000000000000000000000"), role: .admin)

    /// Makes a worker a member.
    static func worker(_ api: RESTFixture) async throws -> HostID {
        let invitation = try await api.coordinator.hosts.invite(roles: ["worker"], for: admin)
        return try await api.coordinator.membership.enrol(
            secret: try JoinToken(invitation.token).secret.text, signingRequest: try AgentKey().signingRequest(),
            hostName: "worker", agentVersion: "1"
        ).host
    }

    /// Does the work of a worker: `page` takes the place of the site's page, and `seen` is what its browser finds then;
    /// with `isLooking` it is still to come.
    static func work(
        _ api: RESTFixture, _ job: String?, page: String, seen: Finding? = nil, isLooking: Bool = false
    ) async throws {
        let coordinator = api.coordinator
        let host = try await worker(api)
        let id = try #require(job.flatMap(JobID.init))
        let offer = try #require(try await coordinator.ledger.grant(id, to: host, able: [.builtin]))
        _ = try await coordinator.ledger.accept(offer.lease, from: host)
        let view = try await coordinator.jobs.find(id, for: admin)
        let base = try #require(view.edit?.base.rawValue)
        let site = view.job.site.text
        let (entry, store) = try await coordinator.versions.file(
            path: "index.html", version: base, of: site, for: admin)
        let digest = try await store.put(Array(page.utf8))
        let manifest = try await coordinator.versions.manifest(base, of: site, for: admin).manifest
        let changes = ManifestDelta(
            upserts: [Manifest.Entry(path: entry.path, sizeInBytes: Int64(page.utf8.count), digest: digest)],
            removals: [])
        let verdict = try await coordinator.completions.complete(
            JobCompletion(
                lease: offer.lease,
                outcome: .succeeded(changes: changes, digest: try changes.applied(to: manifest).digest),
                summary: "Done", usage: .zero, look: seen == nil && !isLooking ? .none : .follows), from: host)
        #expect(verdict == .applied)
        guard let seen else { return }
        try await coordinator.pageChecks.report(PageChecks(findings: [seen]), of: offer.lease, from: host)
    }

    @Test("A refused change is shown with its findings, compared, accepted and undone")
    func guardrails() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let site = "/api/v1/sites/bakery"
            let withForm = RESTFixture.page.replacing("<h1>Hello</h1>", with: Self.form)
            _ = try await api.call(
                "POST", site + "/versions", token: token, bytes: try api.archive(["index.html": withForm]))
            let accepted = try await api.call(
                "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Hi\""])
            let job = try #require(accepted["job"]?["id"]?.text)
            #expect(accepted["variants"]?.elements.isEmpty == true)
            try await Self.work(api, job, page: RESTFixture.page)
            let path = "/api/v1/jobs/\(job)"
            let refused = try await api.call("GET", path, token: token)
            #expect(refused["state"] == "failed")
            let finding = try #require(refused["findings"]?.elements.first)
            #expect(finding["rule"] == "form-lost" && finding["severity"] == "error")
            #expect(finding["before"]?.text?.contains("Send") == true && finding["advice"]?.text?.isEmpty == false)
            #expect(refused["review"]?["sentence"] == "1 of 1 file changed, 0 outside scope")
            let outline = try await api.call("GET", path + "/diff?view=outline", token: token)
            let sentences = outline["files"]?.elements.first?["outline"]?["changes"]?.elements.map {
                $0["sentence"]?.text
            }
            #expect(sentences == ["Removed the form \"Send\" to \"/\" under \"Hello\"."])

            let other = try await api.register("b@example.org")
            let body: JSONValue = ["findings": [["rule": "form-lost", "path": "index.html"]]]
            #expect(try await api.call("POST", path + "/accept", token: other, body).status == 404)
            let wrong = try await api.call(
                "POST", path + "/accept", token: token, ["findings": [["rule": "link-lost", "path": "index.html"]]])
            #expect(wrong.status == 400 && wrong.string("rule") == "finding-known")
            let version = try await api.call("POST", path + "/accept", token: token, body)
            #expect(version.status == 201 && version["number"] == 3 && version["is_preview"] == true)
            #expect(version["findings"]?.elements.first?["severity"] == "warning")
            #expect(try await api.call("POST", path + "/accept", token: token, body).status == 409)

            let text = try await api.call("GET", site + "/versions/2/diff/3?view=text", token: token)
            #expect(text["files"]?.elements.first?["text"]?["state"] == "text")
            let findings = try await api.call("GET", site + "/versions/2/diff/3?view=findings", token: token)
            #expect(findings["delta"]?["appeared"]?.elements.first?["rule"] == "form-lost")
            #expect(try await api.call("GET", site + "/versions/2/diff/3?view=x", token: token).status == 400)
            let undone = try await api.call("POST", site + "/undo", token: token)
            #expect(undone["preview_version"] == 2)
        }
    }

    @Test(
        "A version that a browser still looks at is promoted only when the caller says so",
        arguments: ["as-they-come", "all-or-nothing"])
    func unchecked(mode: String) async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let site = "/api/v1/sites/bakery"
            let accepted = try await api.call(
                "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Hi\""])
            try await Self.work(
                api, accepted["job"]?["id"]?.text, page: RESTFixture.page.replacing("Hello", with: "Hi"),
                isLooking: true)
            let path = site + "/promote"
            for body in [["version": 2, "mode": .string(mode)], ["version": 2, "unchecked": false]] as [JSONValue] {
                let refused = try await api.call("POST", path, token: token, body)
                #expect(refused.status == 409 && refused.string("rule") == "checks-running", "\(refused.text)")
                #expect(refused.string("next_step")?.contains("--unchecked") == true)
            }
            for wrong in ["yes", 1, [true]] as [JSONValue] {
                let refused = try await api.call("POST", path, token: token, ["version": 2, "unchecked": wrong])
                #expect(refused.status == 400 && refused.string("field") == "unchecked", "\(refused.text)")
            }
            let done = try await api.call(
                "POST", path, token: token, ["version": 2, "mode": .string(mode), "unchecked": true])
            #expect(done.status == 201 && done["version"] == 2, "\(done.text)")
        }
    }

    @Test("Conversations, plans, tries and locks go through the API")
    func conversations() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let site = "/api/v1/sites/bakery"
            let begun = try await api.call("POST", site + "/conversations", token: token, ["title": "Spring"])
            #expect(begun.status == 201 && begun.string("title") == "Spring")
            let conversation = try #require(begun.string("id"))
            let plan = try await api.call(
                "POST", site + "/edits", token: token,
                ["prompt": "Change the headline to \"Hi\"", "mode": "plan", "conversation_id": .string(conversation)])
            #expect(plan["edit"]?["mode"] == "plan" && plan["edit"]?["conversation_id"]?.text == conversation)
            let edit = try #require(plan["edit"]?["id"]?.text)
            #expect(try await api.call("POST", site + "/edits/\(edit)/run", token: token).status == 409)
            try await Self.work(
                api, plan["job"]?["id"]?.text, page: RESTFixture.page.replacing("Hello", with: "Hi"))
            let turns = try await api.call("GET", site + "/conversations/\(conversation)/turns", token: token)
            #expect(turns["items"]?.elements.first?["state"] == "answered")
            #expect(turns["items"]?.elements.first?["planned_files"] == ["index.html"])
            let run = try await api.call("POST", site + "/edits/\(edit)/run", token: token)
            #expect(run.status == 202 && run["edit"]?["plan_id"]?.text == edit)

            let tries = try await api.call(
                "POST", site + "/edits", token: token, ["prompt": "Change the headline to \"Ho\"", "variants": 3])
            #expect(tries["variants"]?.elements.count == 3)
            #expect(tries["variants"]?.elements.last?["job"]?["wait"]?["position"] == 3)
            let first = try #require(tries["edit"]?["id"]?.text)
            #expect(try await api.call("POST", site + "/edits/\(first)/pick", token: token).status == 409)
            #expect(
                try await api.call("POST", site + "/edits", token: token, ["prompt": "x", "variants": 4]).status == 400)

            let locks = try await api.call("PUT", site + "/locks", token: token, ["patterns": ["legal/", "*.css"]])
            #expect(locks["patterns"] == ["*.css", "legal/"])
            #expect(try await api.call("GET", site + "/locks", token: token)["patterns"]?.elements.count == 2)
            #expect(try await api.call("PUT", site + "/locks", token: token, ["patterns": ["../x"]]).status == 400)
        }
    }
}
