import Domain
import Testing
import Validation

@Suite("The ruling over findings")
struct ValidationRulingTests {
    private func finding(_ rule: String, _ path: String = "a.html", _ subject: String = "x") -> Finding {
        Finding(severity: .warning, rule: rule, path: path, subject: subject, message: "m")
    }

    @Test(
        "Hard rules are errors, whatever the origin and the parent",
        arguments: ["file-type", "server-code", "file-hidden", "index-missing"])
    func hard(rule: String) {
        for origin in ValidationOrigin.allCases {
            let ruling = ValidationRuling.judge(new: [finding(rule)], parent: [finding(rule)], origin: origin)
            #expect(ruling.errors.map(\.severity) == [.error] && ruling.warnings == [])
        }
    }

    @Test(
        "What an edit breaks is an error, what was broken before is a warning",
        arguments: ["link-broken", "asset-missing", "html-parse", "page-empty"])
    func breaking(rule: String) {
        func isError(_ parent: [Finding]?, _ origin: ValidationOrigin) -> Bool {
            !ValidationRuling.judge(new: [finding(rule)], parent: parent, origin: origin).isAccepted
        }
        #expect(isError([], .edit) && isError(nil, .edit) && isError(nil, .template))
        #expect(!isError([finding(rule)], .edit) && !isError(nil, .upload))
        #expect(isError([finding(rule, "a.html", "y")], .edit))
        // The same file missing elsewhere is no new hole; the same mistake elsewhere is another mistake.
        #expect(isError([finding(rule, "b.html")], .edit) == (rule == "html-parse" || rule == "page-empty"))
    }

    @Test(
        "Advice is never an error",
        arguments: [
            "anchor-missing", "title-missing", "lang-missing", "image-alt-missing", "page-unchecked", "something-new",
        ])
    func advice(rule: String) {
        for origin in ValidationOrigin.allCases {
            #expect(ValidationRuling.judge(new: [finding(rule)], parent: nil, origin: origin).isAccepted)
        }
    }

    @Test("Every rule has a name of its own and a place in the list of rules")
    func names() {
        #expect(Set(ValidationRule.allCases.map(\.rawValue)).count == ValidationRule.allCases.count)
    }

    @Test("A removed page breaks the links of pages that did not change")
    func removal() async throws {
        let parent = try TestSite(
            home: "<a href=a.html>a</a><a href=old.html>o</a>",
            ["a.html": page("x"), "b.html": page("<a href=a.html>a</a>")])
        let edited = try TestSite(home: "<a href=old.html>o</a>", ["b.html": page("<a href=a.html>a</a>")])
        let ruling = try await edited.ruling(after: parent)
        #expect(ruling.errors.map { "\($0.rule) \($0.path) \($0.subject)" } == ["link-broken b.html a.html"])
        #expect(ruling.warnings.map(\.subject) == ["old.html"])
    }

    @Test("A new page may have the holes of the page that it is a copy of")
    func copies() async throws {
        let parent = try TestSite(home: "<a href=old.html>o</a>")
        let edited = try TestSite(
            home: "<a href=old.html>o</a>", ["b.html": page("<a href=old.html>o</a><a href=new.html>n</a>")])
        let ruling = try await edited.ruling(after: parent)
        #expect(ruling.errors.map(\.subject) == ["new.html"])
        #expect(ruling.warnings.map(\.subject) == ["old.html", "old.html"])
    }

    @Test("Reports are bounded, errors first, and say how much they leave out")
    func digest() {
        let links = (0..<57).map { finding("link-broken", "p\($0).html") }
        let errors = (0..<3).map {
            Finding(severity: .error, rule: "server-code", path: "x\($0)", subject: "", message: "m")
        }
        let report = FindingDigest.shortened(links + errors)
        #expect(report.count == 24)
        #expect(report.prefix(3).allSatisfy { $0.severity == .error })
        #expect(report.last?.message == "… and 37 more links that lead nowhere.")
        #expect(FindingDigest.shortened(Array(links.prefix(20))).count == 20)
    }

    @Test("Origins of versions are understood")
    func origins() {
        #expect(ValidationOrigin(.upload) == .upload)
        #expect(ValidationOrigin(.template("x")) == .template)
    }
}
