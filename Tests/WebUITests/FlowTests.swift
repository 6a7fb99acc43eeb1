import Domain
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct FlowTests {
    @Test("Register, make a site, upload, preview, promote, roll back, by plain forms")
    func mainFlow() async throws {
        try await WebFixture.with { web in
            let browser = Browser(web)
            #expect(try await browser.get("/").location == "/login")
            try await browser.register("ada@example.org", name: "Ada")
            let empty = try await browser.get("/sites")
            #expect(empty.text.contains("Start your first site"))
            try await browser.makeSite("bakery", name: "Miller's Bakery")
            let studio = try await browser.get("/sites/bakery/studio")
            #expect(studio.text.contains("Miller&#39;s Bakery"))
            #expect(studio.text.contains("The preview cannot be shown yet."))
            let uploaded = try await browser.uploadVersion("bakery", headline: "Fresh bread")
            #expect(uploaded.text.contains("Your files are version 2"))
            let sheet = try await browser.get("/sites/bakery/promote/2?back=versions")
            #expect(sheet.text.contains("1 file differ") && sheet.text.contains("index.html"))
            let promoted = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/promote/2", ["version": "2", "back": "versions"])
            #expect(promoted.text.contains("Version 2 is the one for visitors now."))
            #expect(promoted.text.contains("Undo: roll back"))
            // The second of two clicks does no harm.
            let again = try await browser.post(
                "/sites/bakery/promote", from: "/sites/bakery/versions", ["version": "2", "back": "versions"])
            #expect(again.status == 200)
            let back = try await browser.post(
                "/sites/bakery/rollback", from: "/sites/bakery/versions", ["back": "versions"])
            #expect(back.text.contains("Visitors get version 1 again."))
            let shown = try await browser.post(
                "/sites/bakery/preview", from: "/sites/bakery/versions", ["version": "1", "back": "versions"])
            #expect(shown.text.contains("The preview shows version 1."))
            let archive = try await browser.get("/sites/bakery/versions/2/archive")
            #expect(archive.headers.first(name: "content-type") == "application/gzip")
            let compare = try await browser.get("/sites/bakery/compare/1/2")
            #expect(compare.text.contains("Fresh bread") && compare.text.contains("class=\"added\""))
            #expect(try await browser.get("/sites/bakery/compare/1/1").text.contains("The same, byte for byte"))
        }
    }

    @Test("An edit is shown at once with the reason why it waits, can be stopped and asked for again")
    func edit() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let asked = try await browser.post(
                "/sites/bakery/edits", from: "/sites/bakery/studio",
                ["prompt": "Change the headline to \"Hi\"", "engine": "builtin"])
            #expect(asked.text.contains("Change the headline to &quot;Hi&quot;"))
            #expect(asked.text.contains("class=\"why\""))
            let job = try #require(asked.text.firstMatch(of: /\/jobs\/(job_[0-9a-z]+)\/cancel/)).1
            let jobs = try await browser.get("/jobs")
            #expect(jobs.text.contains("Waiting"))
            let part = try await browser.get("/sites/bakery/studio/feed")
            #expect(part.text.contains(job) && !part.text.contains("<html"))
            let stopped = try await browser.post(
                "/jobs/\(job)/cancel", from: "/sites/bakery/studio", ["back": "studio"])
            #expect(stopped.text.contains("Stopped"))
            let retried = try await browser.post("/jobs/\(job)/retry", from: "/jobs/\(job)", [:])
            #expect(retried.status == 200)
            #expect(!retried.text.contains("/jobs/\(job)/state"))
            let differently = try await browser.get("/sites/bakery/studio?again=\(job)")
            #expect(
                differently.text.contains("maxlength=\"20000\" placeholder")
                    && differently.text.contains(">Change the headline to &quot;Hi&quot;</textarea>"))
            let blank = try await browser.post(
                "/sites/bakery/edits", from: "/sites/bakery/studio", ["prompt": "  "])
            #expect(blank.status == 400)
            #expect(blank.text.contains("The prompt is empty."))
        }
    }

    @Test("Settings: name, domains, maintenance, and an end that wants the name")
    func settings() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            let page = "/sites/bakery/settings"
            let renamed = try await browser.post(page + "/name", from: page, ["name": "New name"])
            #expect(renamed.text.contains("<h1>New name</h1>"))
            let added = try await browser.post(page + "/domains", from: page, ["domain": "www.example.org"])
            #expect(added.text.contains("www.example.org") && added.text.contains("CNAME bakery.localhost."))
            let wrong = try await browser.post(page + "/domains", from: page, ["domain": "not a domain"])
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("value=\"not a domain\""))
            let removed = try await browser.post(page + "/domains/remove", from: page, ["domain": "www.example.org"])
            #expect(removed.text.contains("No domain of your own yet."))
            let on = try await browser.post(page + "/maintenance", from: page, ["message": "Back soon"])
            #expect(on.text.contains("“Back soon”"))
            let off = try await browser.post(page + "/maintenance/off", from: page)
            #expect(!off.text.contains("“Back soon”"))
            let kept = try await browser.post(page + "/delete", from: page, ["confirmation": "bakers"])
            #expect(kept.status == 400)
            let gone = try await browser.post(page + "/delete", from: page, ["confirmation": "bakery"])
            #expect(gone.text.contains("The site is deleted."))
            #expect(try await browser.get(page).status == 404)
        }
    }

    @Test("A site can begin with an archive; a refused one is explained and leaves nothing on the disk")
    func upload() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org")
            let token = try #require(try await browser.get("/sites/new").token)
            let fields = [("csrf", token), ("name", "Mine"), ("slug", "mine")]
            let none = try await browser.upload("/sites/upload", fields, file: nil)
            #expect(none.status == 400)
            #expect(none.text.contains("No archive was chosen."))
            let made = try await browser.upload(
                "/sites/upload", fields, file: try web.archive(["index.html": WebFixture.html("Mine")]))
            #expect(made.location == "/sites/mine/studio")
            #expect(try await browser.get("/sites/mine/versions").text.contains("Uploaded"))
            let refused = try await browser.upload(
                "/sites/upload", [("csrf", token), ("slug", "other")], file: Array("no archive".utf8))
            #expect(refused.status == 422)
            #expect(refused.text.contains("the archive was refused"))
            let large = try await browser.upload(
                "/sites/upload", [("csrf", token), ("slug", "large")], file: [UInt8](repeating: 1, count: 2 << 20))
            #expect(large.status == 413)
            #expect(try FileManager.default.contentsOfDirectory(atPath: web.uploadFolder) == [])
        }
    }

    @Test("An admin invites a host, and sees the command once")
    func fleet() async throws {
        try await WebFixture.with { web in
            let admin = try await web.browser(as: "admin@example.org")
            let empty = try await admin.get("/fleet")
            #expect(empty.text.contains("No machine yet"))
            let token = try #require(empty.token)
            let invited = try await admin.submit("/fleet/invite", ["csrf": token, "role": "worker"])
            #expect(invited.text.contains("pagewright-agent join --coordinator"))
            #expect(try await !admin.get("/fleet").text.contains("pagewright-agent join"))
            let none = try await admin.submit("/fleet/invite", ["csrf": token])
            #expect(none.status == 400)
        }
    }

    @Test("A search finds sites by name and address")
    func search() async throws {
        try await WebFixture.with { web in
            let browser = try await web.browser(as: "a@example.org", site: "bakery")
            try await browser.makeSite("florist", name: "Rosa's flowers")
            let found = try await browser.get("/sites?q=ROSA")
            #expect(found.text.contains("/sites/florist/studio") && !found.text.contains("/sites/bakery/studio"))
            #expect(try await browser.get("/sites?q=nobody").text.contains("Nothing found for “nobody”"))
        }
    }
}
