import Markup

extension EditedSite {
    /// Changes what the style sheets call the colour, and adds a rule when they have no name for it.
    mutating func change(_ role: ColourRole, to colour: Colour) throws {
        let sheets = try stylesheets()
        let wanted = role.propertyNames.joined().map { Array("--\($0)".utf8) }
        let styledPages = try files.pages.filter { Self.hasStyle(naming: wanted, in: try files.read($0)) }
        for names in role.propertyNames {
            var changed = 0
            var isKeptInDark = false
            var known = Set<String>()
            for path in sheets.paths {
                let bytes = try files.read(path)
                let values = Self.values(of: names, in: bytes, role: role)
                known.formUnion(values.names)
                isKeptInDark = isKeptInDark || values.isKeptInDark
                var edits = SourceEdits()
                for range in values.ranges where String(decoding: bytes[range], as: UTF8.self) != colour.css {
                    edits.replace(range, with: colour.css)
                }
                guard !edits.isEmpty else { continue }
                try files.write(edits.applied(to: bytes), to: path)
                changed += 1
            }
            for path in styledPages {
                guard let document = try? document(at: path) else { continue }
                var edits = SourceEdits()
                for style in document.elements(named: "style") {
                    guard let content = style.content, style.endTag != nil else { continue }
                    let bytes = Array(document.source[content])
                    let values = Self.values(of: names, in: bytes, role: role)
                    known.formUnion(values.names)
                    isKeptInDark = isKeptInDark || values.isKeptInDark
                    for range in values.ranges where String(decoding: bytes[range], as: UTF8.self) != colour.css {
                        edits.replace(
                            content.lowerBound + range.lowerBound..<content.lowerBound + range.upperBound,
                            with: colour.css)
                    }
                }
                guard !edits.isEmpty else { continue }
                try save(edits, of: document, at: path)
                changed += 1
            }
            guard !known.isEmpty else { continue }
            // “Button colour” may be the site's accent colour: then more than the buttons changes, and that is said.
            let others = known.filter { !$0.contains(role.rawValue) }.sorted()
            let called = others.isEmpty ? "" : " (the site calls it \(others.joined(separator: ", ")))"
            let dark = isKeptInDark ? " Dark mode keeps its own." : ""
            notes.append(
                changed == 0
                    ? "The \(role.rawValue) colour already is \(colour.css)."
                    : "Changed the \(role.rawValue) colour to \(colour.css)\(called).\(dark)")
            return
        }
        try addRule(for: role, colour, to: sheets.main)
    }

    /// Whether a page may have a `style` element with one of these names; without parsing it.
    private static func hasStyle(naming names: [[UInt8]], in page: [UInt8]) -> Bool {
        guard let first = page.firstRange(of: Array("<style".utf8)) else { return false }
        var rest = Array(page[first.lowerBound...])
        while let start = rest.firstRange(of: Array("<style".utf8)) {
            let inner = Array(rest[start.upperBound...])
            let stop = inner.firstRange(of: Array("</".utf8))?.lowerBound ?? inner.count
            let style = Array(inner[..<stop])
            if names.contains(where: { style.firstRange(of: $0) != nil }) { return true }
            rest = Array(inner[stop...])
        }
        return false
    }

    private static func values(
        of names: Set<String>, in bytes: [UInt8], role: ColourRole
    ) -> (ranges: [Range<Int>], names: Set<String>, isKeptInDark: Bool) {
        var ranges: [Range<Int>] = []
        var found = Set<String>()
        var dark: [Range<Int>] = []
        for declaration in CSSDeclarations.declarations(in: bytes) where declaration.name.hasPrefix("--") {
            guard names.contains(declaration.name.dropFirst(2).lowercased()) else { continue }
            // Rules for one state or part of the page have colours of their own.
            guard declaration.context.last.map(isForWholePage) ?? false else { continue }
            let context = declaration.context.joined(separator: " ").lowercased()
            let isDark =
                context.contains("prefers-color-scheme: dark") || context.contains("prefers-color-scheme:dark")
                || context.contains("dark")
            if isDark { dark.append(declaration.value) } else { ranges.append(declaration.value) }
            found.insert(declaration.name)
        }
        if role.staysInDarkMode, !ranges.isEmpty { return (ranges, found, !dark.isEmpty) }
        return (ranges + dark, found, false)
    }

    private static func isForWholePage(_ selector: String) -> Bool {
        let selector = selector.lowercased()
        return selector.contains(":root") || selector.contains("html")
            || selector.split(whereSeparator: { ", ".contains($0) }).contains("body")
            || selector == ":host" || selector == "*" || selector == "@theme"
    }

    /// The style sheets that the pages use, and the one of the home page that has the last word.
    private mutating func stylesheets() throws -> (paths: [String], main: String?) {
        var paths: [String] = []
        var main: String?
        let pages = files.pages
        // The home page and one page of each folder tell; reading ten thousand pages for that would be a waste.
        var folders = Set<String>()
        let chosen = pages.filter {
            $0 == "index.html"
                || folders.insert(String($0.split(separator: "/").dropLast().joined(separator: "/"))).inserted
        }
        for page in chosen.prefix(50) {
            guard let document = try? document(at: page) else { continue }
            for link in document.elements(named: "link") {
                let relations = (link["rel"] ?? "").lowercased().split { $0.isWhitespace }
                guard relations.contains("stylesheet"), !relations.contains("alternate"),
                    let path = target(of: link, on: page), path.lowercased().hasSuffix(".css")
                else { continue }
                if !paths.contains(path) { paths.append(path) }
                let media = (link["media"] ?? "all").lowercased()
                if page == pages.first, media == "all" || media.isEmpty || media.hasPrefix("screen") { main = path }
            }
        }
        return (paths, main)
    }

    /// Writes a rule under a comment that marks it, so that the next change finds it.
    private mutating func addRule(for role: ColourRole, _ colour: Colour, to main: String?) throws {
        let mark = "/* Set on request: \(role.rawValue) colour */"
        let end = "/* End of \(role.rawValue) colour */"
        let block = "\(mark)\n\(role.rule(colour))\n\(end)"
        if let main {
            let source = try files.read(main)
            if let start = source.firstRange(of: Array(mark.utf8)), let stop = source.firstRange(of: Array(end.utf8)),
                start.upperBound <= stop.lowerBound
            {
                var edits = SourceEdits()
                edits.replace(start.lowerBound..<stop.upperBound, with: block)
                try files.write(edits.applied(to: source), to: main)
            } else {
                let gap = source.isEmpty || source.last == 0x0a ? "\n" : "\n\n"
                try files.write(source + Array("\(gap)\(block)\n".utf8), to: main)
            }
            notes.append("Set the \(role.rawValue) colour to \(colour.css) in \(main).")
            return
        }
        guard !files.pages.isEmpty else {
            throw BuiltinRefusal("The site has no pages yet, so there is nothing to colour.")
        }
        guard !files.hasAlmost("styles.css") else {
            throw BuiltinRefusal(
                "No page uses a style sheet, but there is a file named styles.css already. I do not know where to set the colour."
            )
        }
        try files.write(Array("\(block)\n".utf8), to: "styles.css")
        for path in files.pages {
            guard let document = try? document(at: path) else { continue }
            var edits = SourceEdits()
            let address = PageLayout.relativeAddress(of: "styles.css", from: path)
            edits.insert(
                "\n  <link rel=\"stylesheet\" href=\"\(address.escapedForAttribute)\">", at: document.headInsertionPoint
            )
            try save(edits, of: document, at: path)
        }
        notes.append(
            "Set the \(role.rawValue) colour to \(colour.css) in a new style sheet, styles.css, which every page now uses."
        )
    }
}
