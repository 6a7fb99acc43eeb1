import Domain
import Validation

/// Two versions of a site in memory, and what the guardrails say of the way from one to the other.
struct GuardSite {
    /// A home page with one of everything that can be lost.
    static let home = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Bakery</title><script src="menu.js"></script></head>
        <body><nav><a href="index.html">Home</a><a href="about.html">About</a><a href="https://maps.example/x">Way</a></nav>
        <h1>Fresh bread</h1><p>Welcome.</p><img src="oven.jpg" alt="Our oven">
        <h2>News</h2><p>\(story)</p><img src="market.jpg" alt="The market">
        <h2>Write to us</h2><form action="/send"><button>Send</button></form>
        <iframe src="https://video.example/7" title="A film"></iframe></body></html>
        """
    static let story = """
        On Saturday we bake with the children of the village school: dark rye, braided buns and the small round loaves that \
        their grandparents remember. Flour, yeast and aprons are here, and the oven will be hot from eight in the morning.
        """

    var before: [String: String]
    var after: [String: String]

    init(_ others: [String: String] = [:]) {
        let files = [
            "index.html": Self.home, "about.html": GuardSite.page("About us", "<p>We are three.</p>"),
            "menu.js": "document.title = 'x'", "oven.jpg": "1", "market.jpg": "2",
        ].merging(others) { $1 }
        before = files
        after = files
    }

    static func page(_ headline: String, _ content: String = "", head: String = "") -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>\(headline)</title>\(head)</head>
        <body><nav><a href="index.html">Home</a><a href="about.html">About</a></nav><h1>\(headline)</h1>\(content)</body></html>
        """
    }

    /// Changes the home page.
    func home(_ old: String, _ new: String) -> GuardSite { changing("index.html", old, new) }

    func changing(_ path: String, _ old: String, _ new: String) -> GuardSite {
        var site = self
        precondition(after[path]?.contains(old) == true, "\(old) is not in \(path)")
        site.after[path] = after[path]?.replacing(old, with: new)
        return site
    }

    func adding(_ path: String, _ text: String) -> GuardSite {
        var site = self
        site.after[path] = text
        return site
    }

    func removing(_ path: String) -> GuardSite {
        var site = self
        site.after[path] = nil
        return site
    }

    func review(
        _ prompt: String, locks: [String] = [], budget: WeightBudget = .standard, knownOrigins: Set<String> = [],
        looksAtPieces: Bool = true, onSurvey: (String) -> Void = { _ in }
    ) async throws -> ChangeGuard.Review {
        let (old, new) = (try TestSite(before), try TestSite(after))
        return try await ChangeGuard(
            request: RequestWords(prompt), locks: try locks.map { try PathPattern($0) }, budget: budget
        ).review(new.manifest, parent: old.manifest) { entry in
            let isNew = new.manifest.entry(at: entry.path)?.digest == entry.digest
            let text = (isNew ? after : before)[entry.path.text] ?? ""
            onSurvey(entry.path.text)
            return FileSurvey(of: entry.path, bytes: Array(text.utf8))
        } pieces: { old, new in
            guard looksAtPieces else { return nil }
            let (before, after) = (before[old.path.text] ?? "", after[new.path.text] ?? "")
            return PieceChange(of: new.path, from: Array(before.utf8), to: Array(after.utf8))
        } knownOrigins: {
            knownOrigins
        }
    }

    /// `rule path`, each once, of the errors.
    func errors(_ prompt: String) async throws -> [String] {
        var seen: Set<String> = []
        return try await review(prompt).findings.filter { $0.severity == .error }.map { "\($0.rule) \($0.path)" }
            .filter { seen.insert($0).inserted }
    }
}
