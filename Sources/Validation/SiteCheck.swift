import Domain
import Markup

/// One check under way: what was found, and the links whose target page was not looked at yet.
struct SiteCheck {
    private struct PendingAnchor {
        let page: SitePath
        let target: String
        let fragment: String
        let written: String
    }

    private var index: SiteIndex
    private let hasHomePage: Bool
    private var findings: [Finding] = []
    private var seen = Set<Finding.Key>()
    private var anchors: [String: Set<String>] = [:]
    private var pending: [PendingAnchor] = []

    init(_ manifest: Manifest) {
        index = SiteIndex(manifest)
        hasHomePage = index.file(for: "") != nil
    }

    private mutating func note(_ finding: Finding) {
        if seen.insert(finding.key).inserted { findings.append(finding) }
    }

    // MARK: What a path alone says

    mutating func judgePath(of entry: Manifest.Entry) {
        let path = entry.path
        let name = path.name.lowercased()
        let fileExtension = path.fileExtension
        // `.htaccess` has no extension in the usual sense.
        let program = fileExtension.isEmpty && name.hasPrefix(".") ? String(name.dropFirst()) : fileExtension
        if FileTypes.serverPrograms.contains(program) || FileTypes.refusedNames.contains(name) {
            note(
                ValidationRule.serverCode.finding(
                    at: path.text, subject: program,
                    "\"\(path)\" is a program or a setting for a web server. Sites here are sent as they are and run nothing on the server, so it would not work."
                ))
        } else if path.isHidden {
            note(
                ValidationRule.fileHidden.finding(
                    at: path.text,
                    "\"\(path)\" is a hidden file: a part of its name begins with a dot. Such files are never sent to visitors; please remove it."
                ))
        } else if !FileTypes.isAllowed(fileExtension) {
            note(
                ValidationRule.fileType.finding(
                    at: path.text, subject: fileExtension,
                    "\"\(path)\" is a kind of file (.\(fileExtension)) that a website here may not have."))
        }
    }

    // MARK: What the content says

    mutating func judge(_ facts: FileFacts, of path: SitePath) {
        if let code = facts.serverCode { note(code, at: path) }
        if let reason = facts.unreadable { noteUnreadable(reason, at: path) }
        if let page = facts.page { judge(page, of: path) }
        if let stylesheet = facts.stylesheet {
            for reference in stylesheet.references { judge(reference, in: path, base: nil) }
        }
    }

    private mutating func note(_ code: ServerCode, at path: SitePath) {
        note(
            ValidationRule.serverCode.finding(
                at: path.text, subject: code.language.rawValue,
                "\"\(path)\" contains \(code.language.rawValue) code (line \(code.line)). Sites here are sent as they are and run nothing on the server, so it would not work."
            ))
    }

    private mutating func noteUnreadable(_ reason: String, at path: SitePath) {
        let why =
            switch reason {
            case "too-large": "is too large"
            case "too-complex": "has tags nested too deeply"
            default: "is written in a way that we cannot read"
            }
        note(
            ValidationRule.pageUnchecked.finding(
                at: path.text, "The page \"\(path)\" was not checked, because it \(why)."))
    }

    private mutating func judge(_ page: PageFacts, of path: SitePath) {
        noteAnchors(page.anchors, of: path)
        for code in page.serverCode { note(code, at: path) }
        for problem in page.problems { note(problem, at: path) }
        if page.isEmpty {
            note(
                ValidationRule.pageEmpty.finding(
                    at: path.text, "The page \"\(path)\" is empty: visitors would see nothing."))
        } else {
            if page.title == nil {
                note(
                    ValidationRule.titleMissing.finding(
                        at: path.text,
                        "The page \"\(path)\" has no title. Browsers and search engines show it as the page's name."))
            }
            if page.language == nil {
                note(
                    ValidationRule.languageMissing.finding(
                        at: path.text,
                        "The page \"\(path)\" does not say which language it is in, which screen readers and translators need."
                    ))
            }
        }
        for image in page.imagesWithoutAlternative {
            note(
                ValidationRule.imageAltMissing.finding(
                    at: path.text, subject: image,
                    "On \"\(path)\" the image \"\(image.shortened)\" has no description (alt text) for people who cannot see it."
                ))
        }
        for reference in page.references { judge(reference, in: path, base: page.baseAddress) }
    }

    private mutating func note(_ problem: HTMLProblem, at path: SitePath) {
        let sentence =
            switch problem.kind {
            case .unclosed: "a <\(problem.name)> is opened but never closed"
            case .stray: "a </\(problem.name)> closes something that was never opened"
            case .comment: "a comment (<!--) never ends and hides the rest of the page"
            case .binary: "there are bytes that are not text"
            case .encoding: "some letters are not stored as UTF-8 and may be shown wrongly"
            }
        note(
            ValidationRule.htmlParse.finding(
                at: path.text, subject: "\(problem.kind.rawValue):\(problem.name)",
                "On \"\(path)\", line \(problem.line), \(sentence)."))
    }

    private mutating func judge(_ reference: Reference, in path: SitePath, base: String?) {
        guard case .inside(let target, let fragment) = SiteAddress(reference.value, in: path.text, base: base) else {
            return
        }
        guard let file = index.file(for: target) else {
            let almost = index.almost(target)
            let hint = almost.map { " There is \"\($0)\": capital and small letters have to match." } ?? ""
            let shown = reference.value.shortened
            switch reference.kind {
            case .link:
                note(
                    ValidationRule.linkBroken.finding(
                        at: path.text, subject: target,
                        "\"\(path)\" links to \"\(shown)\", but there is no such page or file.\(hint)"))
            case .asset:
                note(
                    ValidationRule.assetMissing.finding(
                        at: path.text, subject: target,
                        "\"\(path)\" uses the file \"\(shown)\", but it is missing.\(hint)"))
            }
            return
        }
        guard reference.kind == .link, let fragment, Self.isPlace(fragment), file.isPage else { return }
        pending.append(PendingAnchor(page: path, target: file, fragment: fragment, written: reference.value))
    }

    /// Whether a fragment names an element: `top` always exists, `:~:text=` is the browser's, `!/x` and `/x` are scripts'.
    private static func isPlace(_ fragment: String) -> Bool {
        !fragment.isEmpty && fragment.lowercased() != "top" && !fragment.hasPrefix(":~:") && !fragment.hasPrefix("!")
            && !fragment.hasPrefix("/")
    }

    // MARK: Places on pages

    /// The pages that links name a place on and that were not judged.
    func pagesWithUnknownAnchors() -> [SitePath] {
        Set(pending.lazy.map(\.target).filter { anchors[$0] == nil }).sorted().compactMap { try? SitePath($0) }
    }

    mutating func noteAnchors(_ names: [String], of path: SitePath) { anchors[path.text] = Set(names) }

    mutating func finish() -> [Finding] {
        if !hasHomePage {
            note(
                ValidationRule.indexMissing.finding(
                    at: "", "The site has no home page: there must be a file named \"index.html\" at the top."))
        }
        for link in pending {
            guard let names = anchors[link.target], !names.contains(link.fragment) else { continue }
            // Rarely, the identifier itself is written with percent signs.
            if let hash = link.written.firstIndex(of: "#"),
                names.contains(String(link.written[link.written.index(after: hash)...]))
            {
                continue
            }
            note(
                ValidationRule.anchorMissing.finding(
                    at: link.page.text, subject: "\(link.target)#\(link.fragment)",
                    "\"\(link.page)\" links to the place \"#\(link.fragment.shortened)\" on \"\(link.target)\", which is not there."
                ))
        }
        return Self.sorted(findings)
    }

    static func sorted(_ findings: [Finding]) -> [Finding] {
        findings.sorted { ($0.path, $0.rule, $0.subject) < ($1.path, $1.rule, $1.subject) }
    }
}

extension String {
    fileprivate var isPage: Bool { hasSuffix(".html") || hasSuffix(".htm") }

    /// For a message: cut when it is long.
    fileprivate var shortened: String { count <= 120 ? self : prefix(119) + "…" }
}
