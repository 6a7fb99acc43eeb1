/// Reads the facts of one page.
struct PageFactsReader {
    private static let headingLimit = 200
    private static let anchorLengthLimit = 512
    private static let imageLimit = 200

    /// What is read of an element, by its name.
    private enum Tag: String {
        case html, title, h1, h2, h3, h4, h5, h6, a, area, form, button, link, meta, img, input, script, source, video,
            audio, track, embed, iframe, frame, object, use, image, svg, canvas, frameset, style
    }

    private let document: HTMLDocument
    /// By the number of a name, so that each name is looked up once.
    private let tags: [Tag?]
    private var facts = PageFacts()
    private var seen = Set<Reference>()
    private var anchors = Set<String>()
    private var origins = Set<String>()
    private var hasContent = false

    static func facts(of document: HTMLDocument) -> PageFacts {
        var reader = PageFactsReader(document: document)
        for element in document.elements { reader.read(element) }
        reader.facts.baseAddress = document.baseAddress
        reader.facts.anchors = reader.anchors.sorted()
        reader.facts.thirdPartyOrigins = reader.origins.sorted()
        reader.facts.problems = HTMLProblem.problems(of: document)
        reader.facts.serverCode = ServerCode.pieces(of: document)
        let body = document.firstElement(named: "body")
        reader.facts.isEmpty =
            !reader.hasContent && !(body ?? document.firstElement(named: "html")).hasReadableText
        return reader.facts
    }

    private init(document: HTMLDocument) {
        self.document = document
        tags = document.tree.names.map(Tag.init)
    }

    private mutating func read(_ element: HTMLElement) {
        let tree = document.tree
        let node = tree.nodes[element.index]
        for index in node.attributes.range ?? 0..<0 {
            let attribute = tree.attributes[index]
            switch tree.names[Int(attribute.name)] {
            case "id": anchor(tree.text(attribute.value))
            case "style": stylesheet(tree.text(attribute.value))
            case "background", "poster", "longdesc": note(.asset, tree.text(attribute.value))
            default: break
            }
        }
        guard let tag = tags[Int(node.name)] else { return }
        switch tag {
        case .html: if let language = element["lang"], !language.isEmpty { facts.language = language }
        case .title: readTitle(element)
        case .h1, .h2, .h3, .h4, .h5, .h6:
            guard facts.headings.count < Self.headingLimit else { break }
            let text = String(element.readableText.prefix(200))
            facts.headings.append(PageFacts.Heading(level: Int(element.name.dropFirst()) ?? 1, text: text))
        case .a:
            note(.link, element["href"] ?? element["xlink:href"])
            anchor(element["name"])
        case .area: note(.link, element["href"])
        case .form: note(.link, element["action"])
        case .button: note(.link, element["formaction"])
        case .link: readLink(element)
        case .meta: readMeta(element)
        case .img: readImage(element)
        case .input:
            hasContent = true
            note(.link, element["formaction"])
            if element["type"]?.lowercased() == "image" { note(.asset, element["src"]) }
        case .script: readScript(element)
        case .source, .video, .audio, .track, .embed, .iframe, .frame:
            hasContent = true
            note(.asset, element["src"])
            candidates(element["srcset"])
        case .object:
            hasContent = true
            note(.asset, element["data"])
        case .use, .image: note(.asset, element["href"] ?? element["xlink:href"])
        case .svg, .canvas, .frameset: hasContent = true
        case .style: stylesheet(element.textContent)
        }
    }

    private mutating func readTitle(_ element: HTMLElement) {
        guard facts.title == nil, !element.ancestors.contains(where: { $0.name == "svg" }) else { return }
        let title = String(element.readableText.prefix(500))
        if !title.isEmpty { facts.title = title }
    }

    private mutating func readLink(_ element: HTMLElement) {
        let relations = Set((element["rel"] ?? "").lowercased().split { $0.isWhitespace }.map(String.init))
        // What may well be elsewhere or nowhere: hints to browsers and statements to search engines.
        guard
            relations.isDisjoint(with: ["canonical", "preconnect", "dns-prefetch", "pingback", "edituri", "shortlink"])
        else {
            return
        }
        let loaded: Set<String> = [
            "stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest", "preload", "modulepreload", "prefetch",
        ]
        note(relations.isDisjoint(with: loaded) ? .link : .asset, element["href"])
        candidates(element["imagesrcset"])
    }

    private mutating func readMeta(_ element: HTMLElement) {
        guard element["http-equiv"]?.lowercased() == "refresh", let content = element["content"] else { return }
        hasContent = true
        let parts = content.split(separator: ";", maxSplits: 1)
        guard parts.count == 2, let equals = parts[1].firstIndex(of: "=") else { return }
        note(.link, parts[1][parts[1].index(after: equals)...].trimming(["'", "\"", " ", "\t", "\n"]))
    }

    private mutating func readImage(_ element: HTMLElement) {
        hasContent = true
        note(.asset, element["src"])
        candidates(element["srcset"])
        let isDecoration = ["presentation", "none"].contains(element["role"] ?? "") || element["aria-hidden"] == "true"
        if element.attribute("alt") == nil, !isDecoration, facts.imagesWithoutAlternative.count < Self.imageLimit {
            let address = element["src"] ?? ""
            let shown = address.isEmbeddedData ? "data:" : String(address.prefix(300))
            if !facts.imagesWithoutAlternative.contains(shown) { facts.imagesWithoutAlternative.append(shown) }
        }
    }

    private mutating func readScript(_ element: HTMLElement) {
        let type = (element["type"] ?? "").lowercased()
        guard type.isEmpty || type == "module" || type.contains("javascript") || type.contains("ecmascript") else {
            return
        }
        if let address = element["src"] {
            hasContent = true
            note(.asset, address)
        } else if element.texts.contains(where: { !$0.value.allSatisfy(\.isWhitespace) }) {
            hasContent = true
            facts.inlineScripts += 1
        }
    }

    /// `srcset`: addresses with a width or density behind each, commas between.
    private mutating func candidates(_ value: String?) {
        guard let value else { return }
        var rest = Substring(value)
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "," }
            guard !rest.isEmpty else { return }
            var address = rest.prefix { !$0.isWhitespace }
            rest = rest[address.endIndex...]
            if address.last == "," {
                while address.last == "," { address.removeLast() }
            } else {
                rest = rest.drop { $0 != "," }
            }
            note(.asset, String(address))
        }
    }

    private mutating func stylesheet(_ text: String) {
        for found in CSSReferences.references(in: Array(text.utf8)) { note(.asset, found.value) }
    }

    private mutating func anchor(_ name: String?) {
        if let name, !name.isEmpty, name.utf8.count <= Self.anchorLengthLimit { anchors.insert(name) }
    }

    private mutating func note(_ kind: Reference.Kind, _ value: String?) {
        guard let value = value?.trimmingBlanks, !value.isEmbeddedData else { return }
        let reference = Reference(kind: kind, value: value)
        guard seen.insert(reference).inserted else { return }
        facts.references.append(reference)
        if kind == .asset, let origin = Self.origin(of: value) { origins.insert(origin) }
    }

    /// `https://host` of an absolute address.
    private static func origin(of value: String) -> String? {
        let lower = value.prefix(300).lowercased()
        let scheme: String
        if lower.hasPrefix("//") || lower.hasPrefix("https://") {
            scheme = "https"
        } else if lower.hasPrefix("http://") {
            scheme = "http"
        } else {
            return nil
        }
        let host = lower.drop { $0 != "/" }.dropFirst(2).prefix { !"/?#\\".contains($0) }
        return host.isEmpty ? nil : "\(scheme)://\(host)"
    }
}

extension PageFacts {
    package init(of document: HTMLDocument) { self = PageFactsReader.facts(of: document) }
}

extension HTMLElement? {
    /// Whether there is a letter to read, scripts and style sheets aside.
    fileprivate var hasReadableText: Bool {
        guard let self else { return false }
        return self.texts.contains { text in
            !["script", "style", "template"].contains(text.parent?.name ?? "")
                && text.value.unicodeScalars.contains { !$0.properties.isWhitespace }
        }
    }
}

extension String {
    /// Without the white space of HTML at its ends.
    fileprivate var trimmingBlanks: String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d && byte != 0x0b) }
        guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
        let rest = utf8.drop(while: isBlank)
        guard let end = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(self[rest.startIndex...end])
    }
}

extension StringProtocol {
    fileprivate func trimming(_ characters: Set<Character>) -> String {
        var result = self[...]
        while let first = result.first, characters.contains(first) { result.removeFirst() }
        while let last = result.last, characters.contains(last) { result.removeLast() }
        return String(result)
    }
}
