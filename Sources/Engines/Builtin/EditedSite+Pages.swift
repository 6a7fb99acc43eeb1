import Markup

extension EditedSite {
    // MARK: Add

    mutating func addPage(_ name: String, saying text: String?) throws {
        let slug = name.hasSuffix(".html") ? String(name.dropLast(5)).slug : name.slug
        guard !slug.isEmpty else {
            throw BuiltinRefusal(
                "I cannot make a file name from \(name.quoted). Please use letters from A to Z or digits in the page's name."
            )
        }
        let path = slug + ".html"
        guard slug != "index", !files.hasAlmost(path), !files.has(slug + "/index.html") else {
            throw BuiltinRefusal("There is a page \(path.quoted) already.")
        }
        guard files.has("index.html") else {
            throw BuiltinRefusal("The site has no home page (index.html) whose layout a new page could copy.")
        }
        let home = PageLayout(document: try document(at: "index.html"), path: "index.html")
        guard let main = home.main, let content = main.content else {
            throw BuiltinRefusal(
                "I cannot tell which part of index.html is its main content (there is no <main>), so I cannot make a page like it."
            )
        }
        let title = name.hasSuffix(".html") ? String(name.dropLast(5)) : name
        var edits = SourceEdits()
        edits.replace(content, with: Self.mainContent(title, text, in: home, content))
        if let old = home.document.titleElement?.readableText, !old.isEmpty {
            let site = old.firstTitlePart
            edits.setTitle(of: home.document, to: site == title ? title : "\(title) · \(site)")
        } else {
            edits.setTitle(of: home.document, to: title)
        }
        Self.describe(text ?? title, title: title, in: home.document, &edits)
        let navigation = navigation(of: home)
        if let navigation {
            navigation.add(title, leadingTo: path, isCurrent: true, to: &edits)
        }
        try files.write(edits.applied(to: home.document.source), to: path)

        var linked = 0
        for page in files.pages where page != path {
            guard let document = try? document(at: page),
                let navigation = self.navigation(of: PageLayout(document: document, path: page))
            else { continue }
            var edits = SourceEdits()
            navigation.add(title, leadingTo: path, isCurrent: false, to: &edits)
            guard !edits.isEmpty else { continue }
            try save(edits, of: document, at: page)
            linked += 1
        }
        let links =
            linked == 0
            ? "No page has a navigation that I could add it to."
            : "The navigation of \(linked == 1 ? "one page" : "\(linked) pages") leads to it."
        notes.append("Added the page \(title.quoted) as \(path). \(links)")
    }

    func navigation(of layout: PageLayout) -> Navigation? {
        Navigation(of: layout) { target(of: $0, on: layout.path) }
    }

    private static func mainContent(_ title: String, _ text: String?, in home: PageLayout, _ content: Range<Int>)
        -> String
    {
        let inner = home.document.trimmed(content)
        let opening = String(decoding: home.document.source[content.lowerBound..<inner.lowerBound], as: UTF8.self)
        let closing = String(decoding: home.document.source[inner.upperBound..<content.upperBound], as: UTF8.self)
        let gap = opening.contains("\n") ? opening : "\n"
        var result = "\(gap)<h1>\(title.escapedForText)</h1>"
        if let text {
            result +=
                "\(gap.filter { !$0.isNewline }.isEmpty ? "\n" : "\n" + gap.lastLine)<p>\(text.escapedForText)</p>"
        }
        return result + (closing.contains("\n") ? closing : "\n")
    }

    /// What the head says about the page: nothing of the home page may stay.
    private static func describe(_ text: String, title: String, in document: HTMLDocument, _ edits: inout SourceEdits) {
        if document.descriptionElement != nil { edits.setDescription(of: document, to: text) }
        for meta in document.elements(named: "meta") where meta.startTag != nil {
            switch (meta["property"] ?? meta["name"] ?? "").lowercased() {
            case "og:title", "twitter:title": edits.set("content", of: meta, to: title)
            case "og:description", "twitter:description": edits.set("content", of: meta, to: text)
            case "og:url", "twitter:url": if let range = meta.range { edits.remove(range) }
            default: break
            }
        }
        for link in document.elements(named: "link") where link["rel"]?.lowercased() == "canonical" {
            if let range = link.range { edits.remove(range) }
        }
    }

    // MARK: Remove

    mutating func removePage(_ name: String) throws {
        let path = try page(named: name)
        guard path != "index.html" else {
            throw BuiltinRefusal("The home page cannot be removed: every site needs one.")
        }
        var mended = 0
        // A link to the page has its name in it, so pages without the name need no closer look.
        let name = path.pageName
        let isPlain = path.hasSuffix("/\(name).html") || path == "\(name).html"
        let trace = isPlain && name.percentEncoded == name ? Array(name.utf8) : []
        for page in files.pages where page != path {
            guard try trace.isEmpty || files.read(page).firstRange(of: trace) != nil,
                let document = try? document(at: page)
            else { continue }
            var edits = SourceEdits()
            let layout = PageLayout(document: document, path: page)
            for link in document.elements
            where ["a", "area", "link"].contains(link.name) && target(of: link, on: page) == path {
                Self.remove(link, from: layout, &edits)
            }
            guard !edits.isEmpty else { continue }
            try save(edits, of: document, at: page)
            mended += 1
        }
        files.remove(path)
        notes.append(
            "Removed the page \(path)\(mended == 0 ? "" : " and the links to it on \(mended == 1 ? "one page" : "\(mended) pages")")."
        )
    }

    /// Takes a link away. A link that stands alone goes with what holds it; in the midst of a text its words stay.
    static func remove(_ link: HTMLElement, from layout: PageLayout, _ edits: inout SourceEdits) {
        guard let range = link.range else { return }
        guard link.name == "a", let tag = link.startTag, let end = link.endTag else {
            edits.remove(layout.withLeadingBlanks(range))
            return
        }
        var whole = link
        while let parent = whole.parent,
            ["li", "p", "dd", "dt", "strong", "em", "b", "i", "span"].contains(parent.name), parent.range != nil,
            parent.endTag != nil, parent.readableText == link.readableText, parent.children == [whole]
        {
            whole = parent
        }
        let isInNavigation = link.ancestors.contains { $0.name == "nav" || $0["role"] == "navigation" }
        let isButton = link.classes.contains { $0.contains("button") || $0.contains("btn") || $0.contains("cta") }
        if whole != link, let range = whole.range {
            edits.remove(layout.withLeadingBlanks(range))
        } else if isInNavigation || isButton {
            edits.remove(layout.withLeadingBlanks(range))
        } else {
            edits.remove(tag)
            edits.remove(end)
        }
    }
}

extension String {
    /// What is behind the last line's end.
    fileprivate var lastLine: Substring { self[(lastIndex { $0.isNewline }.map { index(after: $0) } ?? startIndex)...] }
}
