import Markup

extension EditedSite {
    // MARK: Headline

    mutating func changeHeadline(of name: String?, to text: String) throws {
        let path = try page(named: name)
        let document = try document(at: path)
        let headings = document.elements(named: "h1").filter { $0.endTag != nil && $0.content != nil }
        let inMain = headings.first { $0.ancestors.contains { $0.name == "main" || $0["role"] == "main" } }
        guard let heading = inMain ?? headings.first, let content = heading.content else {
            throw BuiltinRefusal("The page \(path.quoted) has no headline (h1) that I could change.")
        }
        let old = heading.headlineText
        guard old != text else {
            notes.append("The headline of \(path) already is \(text.quoted).")
            return
        }
        var edits = SourceEdits()
        edits.replace(heading.headlineRange(in: content), with: text.escapedForText)
        try save(edits, of: document, at: path)
        notes.append("Changed the headline of \(path) to \(text.quoted).")
    }

    // MARK: Title

    mutating func changeTitle(of name: String?, to text: String) throws {
        let path = try page(named: name)
        let document = try document(at: path)
        guard document.titleElement?.readableText != text else {
            notes.append("The title of \(path) already is \(text.quoted).")
            return
        }
        var edits = SourceEdits()
        edits.setTitle(of: document, to: text)
        try save(edits, of: document, at: path)
        notes.append("Changed the title of \(path) to \(text.quoted).")
    }

    // MARK: Description

    mutating func changeDescription(of name: String?, to text: String) throws {
        let path = try page(named: name)
        let document = try document(at: path)
        guard document.descriptionElement?["content"] != text else {
            notes.append("The description of \(path) already is \(text.quoted).")
            return
        }
        var edits = SourceEdits()
        edits.setDescription(of: document, to: text)
        try save(edits, of: document, at: path)
        notes.append("Changed the description of \(path) to \(text.quoted).")
    }

    // MARK: Text

    mutating func replace(_ old: String, with new: String, on name: String?) throws {
        let paths = try name.map { [try page(named: $0)] } ?? files.pages
        let needle = SourceText.Needle(old)
        var found: [(path: String, document: HTMLDocument, matches: [SourceText.Match])] = []
        for anyCase in [false, true] where found.isEmpty {
            for path in paths {
                guard needle.mayOccur(in: try files.read(path), anyCase: anyCase),
                    let document = try? document(at: path)
                else { continue }
                let matches = SourceText.matches(of: needle, in: document)
                if !matches.isEmpty { found.append((path, document, matches)) }
            }
        }
        // The best kind of match that occurs anywhere is replaced, and only that kind.
        guard let best = found.flatMap({ $0.matches.map(\.kind) }).min() else {
            let already = new.isEmpty ? "" : " on \(name == nil ? "any page" : paths[0])"
            throw BuiltinRefusal(
                "I could not find the text \(old.quoted)\(already). Please copy it as it is on the page, without line breaks or formatting."
            )
        }
        var count = 0
        var changed: [String] = []
        for (path, document, matches) in found {
            var edits = SourceEdits()
            for match in matches where match.kind == best {
                edits.replace(match.range, with: new.escapedForText)
                count += 1
            }
            guard !edits.isEmpty else { continue }
            try save(edits, of: document, at: path)
            changed.append(path)
        }
        let places = count == 1 ? "once" : "\(count) times"
        let pages = changed.count == 1 ? "on \(changed[0])" : "on \(changed.count) pages"
        notes.append(
            new.isEmpty
                ? "Removed \(old.quoted) \(places), \(pages)."
                : "Replaced \(old.quoted) with \(new.quoted) \(places), \(pages).")
    }
}

extension HTMLElement {
    /// Marks behind a headline that are no part of its words: permanent links.
    private var headlineMarks: [HTMLElement] {
        children.filter { child in
            child.name == "a"
                && child.classes.contains {
                    ["headerlink", "anchor", "permalink", "anchor-link", "header-anchor"].contains($0)
                }
        }
    }

    /// The words of a headline.
    var headlineText: String {
        let marks = headlineMarks
        return texts.filter { text in !(marks.contains { mark in mark.contains(text) }) }.map(\.value).joined()
            .collapsingWhitespace
    }

    /// What to replace for other words: the only text when there is one, so that the tags around it stay, otherwise all but the marks.
    func headlineRange(in content: Range<Int>) -> Range<Int> {
        let marks = headlineMarks.compactMap { mark in mark.range.map { (mark, $0) } }
        var range = content
        for (_, mark) in marks where range.contains(mark.lowerBound) {
            if mark.lowerBound == range.lowerBound {
                range = mark.upperBound..<max(mark.upperBound, range.upperBound)
            } else {
                range = range.lowerBound..<mark.lowerBound
            }
        }
        let words = texts.filter { text in
            !text.value.collapsingWhitespace.isEmpty && !marks.contains { $0.0.contains(text) }
        }
        if words.count == 1, let only = words[0].range, range.contains(only.lowerBound),
            only.upperBound <= range.upperBound,
            !document.source[only].contains(0x3c)
        {
            range = only
        }
        return document.trimmed(range)
    }

    /// Whether a text is within this element.
    func contains(_ text: HTMLText) -> Bool {
        guard let parent = text.parent else { return false }
        return parent == self || parent.ancestors.contains { $0 == self }
    }
}

extension HTMLDocument {
    /// A range without the white space at its ends; of nothing but white space, its beginning.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, source[start] <= 0x20 { start += 1 }
        guard start < end else { return range.lowerBound..<range.lowerBound }
        while end > start, source[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }

    /// The title of the page, not of a drawing in it.
    var titleElement: HTMLElement? {
        elements(named: "title").first { title in
            title.content != nil && title.endTag != nil && !title.ancestors.contains { $0.name == "svg" }
        }
    }

    var descriptionElement: HTMLElement? {
        elements(named: "meta").first { $0["name"]?.lowercased() == "description" && $0.startTag != nil }
    }

    /// Where something new goes into the head: behind the title, before the head's end, or wherever the head would begin.
    var headInsertionPoint: Int {
        if let head = firstElement(named: "head"), let content = head.content, head.endTag != nil {
            // Before the white space in front of the end tag.
            return max(content.lowerBound, trimmed(content).upperBound)
        }
        if let head = firstElement(named: "head")?.startTag { return head.upperBound }
        if let html = firstElement(named: "html")?.startTag { return html.upperBound }
        let start = source.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        let opening = String(decoding: source[start...].prefix(300), as: UTF8.self).lowercased()
        let blanks = opening.utf8.prefix { $0 <= 0x20 }.count
        guard opening.utf8.dropFirst(blanks).starts(with: "<!doctype".utf8) else { return start }
        return source[start...].firstIndex(of: 0x3e).map { $0 + 1 } ?? start
    }
}

extension SourceEdits {
    mutating func setTitle(of document: HTMLDocument, to text: String) {
        if let content = document.titleElement?.content {
            replace(content, with: text.escapedForText)
        } else {
            insert("\n  <title>\(text.escapedForText)</title>", at: document.headInsertionPoint)
        }
    }

    mutating func setDescription(of document: HTMLDocument, to text: String) {
        guard let meta = document.descriptionElement else {
            insert(
                "\n  <meta name=\"description\" content=\"\(text.escapedForAttribute)\">",
                at: document.headInsertionPoint)
            return
        }
        set("content", of: meta, to: text)
    }

    /// Gives an attribute a value, in the place that it has or at the end of the start tag.
    mutating func set(_ name: String, of element: HTMLElement, to value: String) {
        guard let startTag = element.startTag else { return }
        let written = "\(name)=\"\(value.escapedForAttribute)\""
        if let attribute = element.attribute(name) {
            replace(
                attribute.nameRange
                    .lowerBound..<max(attribute.nameRange.upperBound, attribute.quotedValueRange.upperBound),
                with: written)
        } else {
            let source = element.document.source
            var end = startTag.upperBound - 1
            if end > startTag.lowerBound, source[end - 1] == 0x2f { end -= 1 }
            while end > startTag.lowerBound, source[end - 1] <= 0x20 { end -= 1 }
            insert(" " + written, at: end)
        }
    }

    /// Takes an attribute away, with the blank before it.
    mutating func removeAttribute(_ name: String, of element: HTMLElement) {
        guard let attribute = element.attribute(name) else { return }
        let source = element.document.source
        var start = attribute.nameRange.lowerBound
        while start > 0, source[start - 1] <= 0x20 { start -= 1 }
        remove(start..<max(attribute.nameRange.upperBound, attribute.quotedValueRange.upperBound))
    }
}
