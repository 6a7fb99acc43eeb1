import Foundation
import Testing

@testable import PagewrightCLI

struct OutputTests {
    @Test("Columns are as wide as their widest cell and line breaks do not break them")
    func table() {
        var table = TextTable("A", "LONGER")
        table.add("one", "x\ny")
        table.add("2", "")
        #expect(table.lines == ["A    LONGER", "one  x y", "2"])
    }

    @Test(
        "Sizes are said in the unit that fits",
        arguments: [(0, "0 B"), (999, "999 B"), (1_300, "1.3 kB"), (999_600, "1.0 MB"), (24_400_000, "24 MB")])
    func size(bytes: Int64, text: String) {
        #expect(Wording.size(bytes) == text)
    }

    @Test("Times are said from now, whether or not they have fractions of a second")
    func age() throws {
        let now = try #require(Wording.date("2026-01-01T12:00:00Z"))
        #expect(Wording.age("2026-01-01T11:55:00Z", now: now) == "5 min ago")
        #expect(Wording.age("2026-01-01T11:55:00.123Z", now: now) == "4 min ago")
        #expect(Wording.age("2026-01-02T12:00:00Z", now: now) == "in 24 h")
        #expect(Wording.age(nil, now: now) == "never")
        #expect(Wording.age("yesterday", now: now) == "yesterday")
    }

    @Test("An error says the sentence, the findings, the next step and the request")
    func problem() {
        let body = Data(
            """
            {"type":"urn:pagewright:problem:validation-failed","title":"x","status":422,"detail":"the slug is taken",
             "request_id":"req_1","rule":"slug-taken","next_step":"Choose another.",
             "findings":[{"severity":"error","rule":"php","path":"a.php","subject":"","message":"No programs."}]}
            """.utf8)
        let error = APIProblem.error(status: 422, requestID: nil, body: body)
        #expect(error.status == .failed)
        #expect(
            error.lines == [
                "error: the slug is taken (rule: slug-taken)", "  error  a.php: No programs. [php]",
                "  next: Choose another.", "  request: req_1",
            ])
        #expect(error.json == body)
    }

    @Test("An answer that is no problem document still becomes a sentence")
    func foreignProblem() {
        let error = APIProblem.error(status: 502, requestID: "r", body: Data("<html>".utf8))
        #expect(error.lines == ["error: the server answered with HTTP status 502", "  request: r"])
        #expect(APIProblem.error(status: 401, requestID: nil, body: Data()).status == .notLoggedIn)
    }

    @Test("The change card names summary, files, findings and the preview")
    func changeCard() throws {
        let decoder = APIResponse.decoder()
        let job = try decoder.decode(JobBody.self, from: Data(Samples.job.utf8))
        let version = try decoder.decode(VersionBody.self, from: Data(Samples.version.utf8))
        let site = try decoder.decode(SiteBody.self, from: Data(Samples.site.utf8))
        let diff = try decoder.decode(DiffBody.self, from: Data(Samples.diff.utf8))
        #expect(
            ChangeCard.lines(job: job, version: version, site: site, diff: diff, notServed: nil) == [
                "Version 2 of bakery is ready.", "", "  Changed the headline.", "",
                "  Files     1 of 14 changed", "    modified  index.html  1.2 kB -> 1.3 kB",
                "  Checks    1 finding", "    warning  about.html: The link leads nowhere. [link-broken]",
                "  Preview   http://bakery--preview.localhost:8080/  (served by 1 of 1 hosts)", "",
                "Show it to visitors: pagewright promote bakery",
            ])
    }

    @Test("An answer that was kept is said to be from the cache, for no tokens")
    func fromCache() throws {
        let decoder = APIResponse.decoder()
        let text = Samples.job.replacing(#""wait_reason":null"#, with: #""wait_reason":null,"from_cache":true"#)
        let lines = ChangeCard.lines(
            job: try decoder.decode(JobBody.self, from: Data(text.utf8)),
            version: try decoder.decode(VersionBody.self, from: Data(Samples.version.utf8)),
            site: try decoder.decode(SiteBody.self, from: Data(Samples.site.utf8)),
            diff: try decoder.decode(DiffBody.self, from: Data(Samples.diff.utf8)), notServed: nil)
        #expect(lines.contains("  Tokens    from cache, 0 tokens"), "\(lines)")
    }

    @Test("A job that waits says why, and one that failed what to do next")
    func why() throws {
        var text = Samples.job.replacing(#""succeeded""#, with: #""queued""#)
        text = text.replacing(#""wait_reason":null"#, with: #""wait_reason":"another edit of the site runs""#)
        let waiting = try APIResponse.decoder().decode(JobBody.self, from: Data(text.utf8))
        #expect(WhyCommand.explanation(of: waiting).hasPrefix("It waits: another edit of the site runs."))
        #expect(waiting.progressLine == "waiting: another edit of the site runs")
        let failed = try APIResponse.decoder().decode(
            JobBody.self, from: Data(Samples.job.replacing(#""succeeded""#, with: #""failed""#).utf8))
        #expect(ChangeCard.failure(of: failed).nextStep?.contains("pagewright retry job_1") == true)
    }

    @Test("Screenshots of pages whose names become one are saved under names of their own")
    func screenshotNames() throws {
        func picture(_ page: String, _ sha: String) -> String {
            """
            {"page":"\(page)","kind":"page","width":375,"height":800,"media_type":"image/jpeg","sha256":"\(sha)",
             "size_bytes":9,"taken_of":2,"changes":null}
            """
        }
        let first = String(repeating: "a", count: 64), second = String(repeating: "b", count: 64)
        let text = """
            {"state":"done","checks":[],"findings":[],
             "screenshots":[\(picture("a/b.html", first)),\(picture("A-b.html", second)),\(picture("c.html", first))]}
            """
        let checks = try APIResponse.decoder().decode(PageChecksBody.self, from: Data(text.utf8))
        #expect(checks.fileNames == ["a-b.html-375.jpg", "A-b.html-375-bbbbbbbbbbbb.jpg", "c.html-375.jpg"])
    }
}

enum Samples {
    static let job = """
        {"id":"job_1","site_id":"site_1","kind":"edit","state":"succeeded","step":"done","progress":100,"attempt":1,
         "losses":0,"cancel_requested":false,"wait_reason":null,"edit_id":"edit_1","prompt":"p","engine":"builtin",
         "base_version":1,"host_id":"host_1","version":2,"summary":"Changed the headline.","findings":[],"failure":null,
         "usage":{"uncached_input_tokens":0,"cached_input_tokens":0,"output_tokens":0},
         "created_at":"2026-01-01T12:00:00Z","updated_at":"2026-01-01T12:00:01Z"}
        """
    static let version = """
        {"site_id":"site_1","number":2,"digest":"abcdef0123456789","parent":1,"origin":{"kind":"edit","engine":"builtin"},
         "author_id":"user_1","summary":"Changed the headline.","files":14,"size_bytes":60000,
         "findings":[{"severity":"warning","rule":"link-broken","path":"about.html","subject":"x",
         "message":"The link leads nowhere."}],"signature":"00","created_at":"2026-01-01T12:00:01Z","is_live":false,
         "is_preview":true}
        """
    static let diff = """
        {"from":1,"to":2,"files":[{"path":"index.html","change":"modified","before":{"size_bytes":1200,"sha256":"a"},
         "after":{"size_bytes":1300,"sha256":"b"}}]}
        """
    static let site = """
        {"id":"site_1","slug":"bakery","name":"Bakery","kind":"static","live_version":1,"preview_version":2,
         "last_version":2,"maintenance":null,"domains":[],"url":"http://bakery.localhost:8080/",
         "preview_url":"http://bakery--preview.localhost:8080/","created_at":"2026-01-01T11:00:00Z",
         "serving":[{"host_id":"host_1","host_name":"local","generation":3,"state":"applied","error":null,
         "fetched_files":1,"fetched_bytes":1300,"updated_at":"2026-01-01T12:00:02Z"}]}
        """
}
