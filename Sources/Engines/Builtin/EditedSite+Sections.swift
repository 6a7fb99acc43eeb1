import Markup

extension EditedSite {
    // MARK: Add

    mutating func addSection(_ name: String, to page: String?, saying text: String?) throws {
        let path = try self.page(named: page)
        let layout = PageLayout(document: try document(at: path), path: path)
        guard Self.sections(called: name, in: layout.document).isEmpty else {
            throw BuiltinRefusal("The page \(path.quoted) has a section \(name.quoted) already.")
        }
        guard let main = layout.main, let content = main.content else {
            throw BuiltinRefusal(
                "I cannot tell which part of \(path.quoted) is its main content (there is no <main>), so I do not know where a section goes."
            )
        }
        let inner = layout.document.trimmed(content)
        let last = main.children.last { $0.range != nil && $0.endTag != nil }
        let indentation = last?.range.map { layout.indentation(at: $0.lowerBound) } ?? ""
        let hasLines = layout.document.source[content].contains(0x0a)
        let step = indentation.hasSuffix("\t") ? "\t" : "  "
        let line = "\n" + indentation
        var section =
            "<section id=\"\(freeIdentifier(for: name, in: layout.document))\">\(line)\(step)<h2>\(name.escapedForText)</h2>"
        if let text { section += "\(line)\(step)<p>\(text.escapedForText)</p>" }
        section += "\(line)</section>"
        var edits = SourceEdits()
        edits.insert(
            (hasLines ? "\n" + line : "\n") + section + (content.upperBound == inner.upperBound ? "\n" : ""),
            at: inner.upperBound)
        try save(edits, of: layout.document, at: path)
        notes.append("Added the section \(name.quoted) to \(path).")
    }

    private func freeIdentifier(for name: String, in document: HTMLDocument) -> String {
        let taken = Set(document.elements.compactMap { $0["id"] })
        let slug = name.slug.isEmpty ? "section" : name.slug
        var candidate = slug
        var number = 2
        while taken.contains(candidate) {
            candidate = "\(slug)-\(number)"
            number += 1
        }
        return candidate
    }

    // MARK: Remove

    mutating func removeSection(_ name: String, from page: String?) throws {
        let found: [(path: String, document: HTMLDocument, section: HTMLElement)]
        if let page {
            found = try sections(called: name, on: [try self.page(named: page)])
        } else {
            let atHome = files.has("index.html") ? try sections(called: name, on: ["index.html"]) : []
            found = atHome.isEmpty ? try sections(called: name, on: files.pages) : atHome
        }
        guard let (path, document, section) = found.first, let range = section.range else {
            throw BuiltinRefusal(
                "I cannot find a section \(name.quoted)\(page.map { " on the page \($0.quoted)" } ?? ""). A section begins with a heading that says so."
            )
        }
        guard found.count == 1 else {
            let places = Set(found.map(\.path)).sorted().prefix(8).joined(separator: ", ")
            throw BuiltinRefusal(
                "There are \(found.count) sections \(name.quoted) (\(places)). Please say from which page I should remove it."
            )
        }
        let layout = PageLayout(document: document, path: path)
        var edits = SourceEdits()
        edits.remove(layout.withLeadingBlanks(range))
        let gone = Set(([section] + section.descendants).compactMap { $0["id"] })
        removeLinks(to: gone, on: path, from: layout, &edits)
        try save(edits, of: document, at: path)
        for other in files.pages where other != path && !gone.isEmpty {
            guard let document = try? self.document(at: other) else { continue }
            var edits = SourceEdits()
            removeLinks(to: gone, on: path, from: PageLayout(document: document, path: other), &edits)
            if !edits.isEmpty { try save(edits, of: document, at: other) }
        }
        notes.append("Removed the section \(name.quoted) from \(path).")
    }

    private mutating func sections(
        called name: String, on pages: [String]
    ) throws -> [(path: String, document: HTMLDocument, section: HTMLElement)] {
        var found: [(path: String, document: HTMLDocument, section: HTMLElement)] = []
        for page in pages {
            guard let document = try? document(at: page) else { continue }
            found += Self.sections(called: name, in: document).map { (page, document, $0) }
        }
        return found
    }

    /// Sections whose heading or `id` is the name. One within another that is called the same is not counted.
    private static func sections(called name: String, in document: HTMLDocument) -> [HTMLElement] {
        let wanted = name.lowercased()
        let sections = document.elements.filter { section in
            guard section.name == "section" || section.name == "article", section.endTag != nil, section.range != nil
            else { return false }
            if let id = section["id"]?.lowercased(), id == wanted || id == name.slug { return true }
            let heading = section.descendants.first { ["h1", "h2", "h3", "h4", "h5", "h6"].contains($0.name) }
            return heading?.headlineText.lowercased() == wanted
        }
        return sections.filter { inner in !inner.ancestors.contains { sections.contains($0) } }
    }

    /// Links to the places that go with a section.
    private func removeLinks(
        to places: Set<String>, on path: String, from layout: PageLayout, _ edits: inout SourceEdits
    ) {
        for link in layout.document.elements(named: "a") {
            guard let address = link["href"], let hash = address.firstIndex(of: "#"),
                case .inside(_, let fragment?) = SiteAddress(address, in: layout.path), places.contains(fragment)
            else { continue }
            let isHere = address[..<hash].isEmpty ? layout.path == path : target(of: link, on: layout.path) == path
            if isHere { Self.remove(link, from: layout, &edits) }
        }
    }
}
