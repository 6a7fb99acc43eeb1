import Markup

/// A site while the requests of one prompt are carried out on it, in memory.
struct EditedSite: ~Copyable {
    var files: BuiltinWorkspace
    /// What was done, as sentences.
    var notes: [String] = []

    init(files: consuming BuiltinWorkspace) { self.files = files }

    mutating func carryOut(_ request: BuiltinRequest) throws {
        switch request {
        case .headline(let page, let text): try changeHeadline(of: page, to: text)
        case .title(let page, let text): try changeTitle(of: page, to: text)
        case .description(let page, let text): try changeDescription(of: page, to: text)
        case .replace(let old, let new, let page): try replace(old, with: new, on: page)
        case .colour(let role, let colour): try change(role, to: colour)
        case .addPage(let name, let text): try addPage(name, saying: text)
        case .removePage(let name): try removePage(name)
        case .addSection(let name, let page, let text): try addSection(name, to: page, saying: text)
        case .removeSection(let name, let page): try removeSection(name, from: page)
        }
    }

    /// A page as it will be; refuses one that cannot be understood.
    mutating func document(at path: String) throws -> HTMLDocument {
        let bytes = try files.read(path)
        do {
            return try HTMLDocument(parsing: bytes)
        } catch {
            throw BuiltinRefusal(
                "I cannot read the page \(path.quoted): it is too large or its tags are nested too deeply.")
        }
    }

    mutating func save(_ edits: SourceEdits, of document: HTMLDocument, at path: String) throws {
        try files.write(edits.applied(to: document.source), to: path)
    }

    // MARK: Which page

    /// The page that a person means: by its path, its name, what the navigation calls it, its title or its headline.
    mutating func page(named name: String?) throws -> String {
        guard let name else {
            guard files.has("index.html") else {
                throw BuiltinRefusal("The site has no home page (index.html). Please say which page you mean.")
            }
            return "index.html"
        }
        if let found = try page(ifNamed: name) { return found }
        let pages = files.pages
        let shown = pages.prefix(12).joined(separator: ", ") + (pages.count > 12 ? " and \(pages.count - 12) more" : "")
        throw BuiltinRefusal("I cannot find a page \(name.quoted). The pages are: \(shown.isEmpty ? "none" : shown).")
    }

    mutating func page(ifNamed name: String) throws -> String? {
        let pages = files.pages
        var path = name.lowercased()
        while path.hasPrefix("/") || path.hasPrefix("./") { path.removeFirst(path.hasPrefix("/") ? 1 : 2) }
        if [
            "", "index", "home", "homepage", "home page", "front", "front page", "frontpage", "main", "start",
            "landing", "first",
        ].contains(path),
            files.has("index.html")
        {
            return "index.html"
        }
        while path.hasSuffix("/") { path.removeLast() }
        if let exact = pages.first(where: { $0 == name }) { return exact }
        for candidate in [path, path + ".html", path + ".htm", path + "/index.html"] {
            if let found = pages.first(where: { $0.lowercased() == candidate }) { return found }
        }
        let slug = name.slug
        let bySlug = pages.filter { !slug.isEmpty && $0.pageName.slug == slug }
        if let only = try single(bySlug, named: name) { return only }
        if files.has("index.html") {
            let home = try document(at: "index.html")
            for link in home.elements(named: "a") where link.readableText.lowercased() == path {
                if let target = target(of: link, on: "index.html"),
                    target.hasSuffix(".html") || target.hasSuffix(".htm")
                {
                    return target
                }
            }
        }
        var byTitle: [String] = []
        for page in pages {
            guard let document = try? document(at: page) else { continue }
            let title = document.firstElement(named: "title")?.readableText ?? ""
            let names = [title, title.firstTitlePart, document.firstElement(named: "h1")?.readableText ?? ""]
            if names.contains(where: { $0.lowercased() == name.lowercased() }) { byTitle.append(page) }
        }
        return try single(byTitle, named: name)
    }

    private func single(_ pages: [String], named name: String) throws -> String? {
        guard pages.count > 1 else { return pages.first }
        if let top = pages.first(where: { !$0.contains("/") }), pages.filter({ !$0.contains("/") }).count == 1 {
            return top
        }
        throw BuiltinRefusal(
            "Several pages are called \(name.quoted): \(pages.prefix(8).joined(separator: ", ")). Please give the file's name."
        )
    }

    // MARK: Links

    /// The file of this site that a link leads to.
    func target(of link: HTMLElement, on page: String) -> String? {
        guard let address = link["href"] else { return nil }
        guard case .inside(let path, _) = SiteAddress(address, in: page, base: link.document.baseAddress) else {
            return nil
        }
        return file(for: path)
    }

    func file(for path: String) -> String? {
        let candidates =
            path.isEmpty
            ? ["index.html"]
            : path.hasSuffix("/") ? [path + "index.html"] : [path, path + ".html", path + "/index.html"]
        return candidates.first { files.has($0) }
    }
}

extension String {
    /// `about` of `about.html`, `tutorial` of `tutorial/index.html`.
    var pageName: String {
        let parts = split(separator: "/")
        let name = parts.last.map(String.init) ?? self
        let stem = name.split(separator: ".").dropLast().joined(separator: ".")
        return stem == "index" && parts.count > 1 ? String(parts[parts.count - 2]) : stem
    }

    /// `About` of `About · Bakery`.
    var firstTitlePart: String { titleParts.first ?? self }

    /// A title cut at ` · `, ` | `, ` - ` and the like.
    var titleParts: [String] {
        var parts = [""]
        for word in split(separator: " ") {
            if ["·", "|", "-", "–", "—", "•", ":", "::", "»", "«"].contains(String(word)) {
                parts.append("")
            } else {
                parts[parts.count - 1] += (parts[parts.count - 1].isEmpty ? "" : " ") + word
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    /// For addresses: small letters without accents, digits, and dashes between words.
    var slug: String {
        var result = ""
        for scalar in lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": result.unicodeScalars.append(scalar)
            case "'", "’", "\u{300}"..."\u{36f}": continue
            case "&": result += result.isEmpty || result.hasSuffix("-") ? "and" : "-and"
            default:
                if let plain = Self.plainLetters[scalar] {
                    result += plain
                } else if !result.isEmpty, !result.hasSuffix("-") {
                    result += "-"
                }
            }
        }
        while result.hasSuffix("-") { result.removeLast() }
        return String(result.prefix(80))
    }

    private static let plainLetters: [Unicode.Scalar: String] = {
        let groups = [
            "a": "àáâãåāăą", "ae": "äæ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ",
            "i": "ìíîïĩīĭįı", "j": "ĵ", "k": "ķ",
            "l": "ĺļľŀł", "n": "ñńņňŋ", "o": "òóôõøōŏő", "oe": "öœ", "r": "ŕŗř", "s": "śŝşšș", "ss": "ß", "t": "ţťŧț",
            "th": "þ", "u": "ùúûũūŭůűų",
            "ue": "ü", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
        ]
        var table: [Unicode.Scalar: String] = [:]
        for (plain, letters) in groups { for scalar in letters.unicodeScalars { table[scalar] = plain } }
        return table
    }()
}
