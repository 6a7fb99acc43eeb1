package import Domain
import Markup

/// What the guardrails need to know of one file: what a visitor would miss, and what could harm one.
package struct FileSurvey: Sendable, Equatable {
    package internal(set) var outline: [OutlineItem] = []
    /// Where the file loads things from besides its own site.
    package internal(set) var origins: Set<String> = []
    /// The hosts that its forms are sent to, other than the site.
    package internal(set) var formHosts: Set<String> = []
    /// What its scripts do that a site's scripts should not, and how often.
    package internal(set) var dangers: [ScriptDanger: Int] = [:]
    /// The addresses of frames that nobody can see.
    package internal(set) var hiddenFrames: [String] = []
    /// Kinds of credentials, and how each begins.
    package internal(set) var secrets: [SecretFind] = []
    /// Words that stand for content that was left out.
    package internal(set) var placeholders: [String] = []
    /// Files of the site that a browser loads with the page.
    package internal(set) var assets: Set<String> = []
    package internal(set) var imagesWithoutAlternative: Set<String> = []
    package internal(set) var hasTitle = true
    package internal(set) var hasLanguage = true

    /// Larger files are not looked into.
    package static let sizeLimit = 4 << 20

    private static let texts: Set<String> = [
        "html", "htm", "xhtml", "css", "js", "mjs", "cjs", "json", "jsonld", "json5", "txt", "text", "md", "markdown",
        "svg", "xml", "xsl", "xslt", "yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "csv", "map",
        "webmanifest", "ts", "tsx", "jsx", "py", "rb", "sh", "bash", "sql", "vue", "svelte", "scss", "sass", "less",
        "log", "bat", "ps1", "pub", "key", "",
    ]

    /// Whether a file at `path` can say anything that the guardrails look for.
    package static func isWorthReading(_ path: SitePath) -> Bool { texts.contains(path.fileExtension) }

    /// Reads any bytes, in time that is proportional to them.
    package init(of path: SitePath, bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        secrets = SecretFind.finds(in: text)
        switch FileKind(of: path) {
        case .page:
            placeholders = PlaceholderScan.placeholders(in: text)
            guard let document = try? HTMLDocument(parsing: bytes) else { return }
            read(document, at: path)
        case .stylesheet:
            placeholders = PlaceholderScan.placeholders(in: text)
            for reference in StylesheetFacts(of: bytes).references { note(reference.value, at: path, base: nil) }
        case .text, .opaque:
            switch path.fileExtension {
            case "js", "mjs", "cjs":
                placeholders = PlaceholderScan.placeholders(in: text)
                dangers = ScriptScan(text).dangers
                origins = ScriptScan.origins(loadedBy: text)
            case "svg", "xml":
                if text.contains("<script") { dangers = ScriptScan(text).dangers }
            default: break
            }
        }
    }

    private mutating func read(_ document: HTMLDocument, at path: SitePath) {
        let facts = PageFacts(of: document)
        let page = PageOutline(of: document)
        outline = page.items.map { item in
            OutlineItem(
                kind: OutlineItem.Kind(rawValue: item.kind.rawValue) ?? .text, level: item.level, text: item.text,
                target: item.target, section: item.section)
        }
        origins = Set(facts.thirdPartyOrigins)
        hasTitle = facts.isEmpty || facts.title != nil
        hasLanguage = facts.isEmpty || facts.language != nil
        imagesWithoutAlternative = Set(facts.imagesWithoutAlternative)
        // Of several sizes of a picture a browser loads one: what `srcset` names is not weighed.
        var shown: Set<String> = []
        for item in page.items where item.kind == .image || item.kind == .script { shown.insert(item.target) }
        for reference in facts.references where reference.kind == .asset {
            let isWeighed = shown.contains(reference.value) || reference.value.contains(".css")
            note(reference.value, at: path, base: facts.baseAddress, isWeighed: isWeighed)
        }
        for item in page.items {
            switch item.kind {
            case .form:
                if let host = WebHost.host(of: item.target) { formHosts.insert(host) }
            case .frame:
                if item.isHidden { hiddenFrames.append(item.target) }
            case .script:
                guard !item.code.isEmpty else { continue }
                dangers.merge(ScriptScan(item.code).dangers) { $0 + $1 }
                origins.formUnion(ScriptScan.origins(loadedBy: item.code))
            case .title, .description, .heading, .text, .link, .image: break
            }
        }
        for button in document.elements(named: "button") + document.elements(named: "input") {
            if let host = button["formaction"].flatMap(WebHost.host) { formHosts.insert(host) }
        }
        for handler in page.handlers { dangers.merge(ScriptScan(handler).dangers) { $0 + $1 } }
    }

    private mutating func note(_ address: String, at path: SitePath, base: String?, isWeighed: Bool = false) {
        if case .inside(let target, _) = SiteAddress(address, in: path.text, base: base) {
            if isWeighed { assets.insert(target) }
        } else if let origin = WebHost.origin(of: address) {
            origins.insert(origin)
        }
    }

    /// All that can be read, for telling whether a text is still somewhere.
    package var words: WordSet {
        WordSet(outline.map(\.text).joined(separator: " "))
    }

    package init() {}
}
