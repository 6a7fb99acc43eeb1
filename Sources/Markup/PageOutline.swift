/// What a page holds, thing by thing, in the order of the source: for comparing two versions of it.
package struct PageOutline: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case title, description, heading, text, link, image, form, script, frame
    }

    package struct Item: Sendable, Equatable {
        package let kind: Kind
        /// Of a heading: 1 to 6.
        package var level = 0
        /// Readable; of an image its description, of a form what its button says.
        package var text = ""
        /// The address, as written; of a form empty when it is sent to the page itself.
        package var target = ""
        /// The heading that it stands under.
        package var section = ""
        /// Of a frame: that visitors cannot see it.
        package var isHidden = false
        /// Of a script: what it says when it is in the page itself.
        package var code = ""
    }

    /// How much of a page is read. An outline of so many items may be cut.
    package static let itemLimit = 20_000
    package static let textLimit = 2000

    package let items: [Item]
    /// What runs on the page besides its scripts: the values of `onclick` and its relatives, and of links with
    /// `javascript:`.
    package let handlers: [String]

    package init(of document: HTMLDocument) {
        var reader = PageOutlineReader(document: document)
        reader.read()
        items = reader.items
        handlers = reader.handlers
    }
}

/// Reads the outline of one page in one walk over its nodes.
struct PageOutlineReader {
    private enum Role {
        case title, heading(Int), link, image, form, script, frame, meta
        /// Nothing in it is read.
        case silent
        /// A piece of text of its own.
        case block
    }

    private static let blocks: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dialog",
        "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "header", "hr", "label", "legend", "li",
        "main", "nav", "ol", "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot",
        "th", "thead", "tr", "ul",
    ]

    private let document: HTMLDocument
    private let roles: [Role?]
    private(set) var items: [PageOutline.Item] = []
    private(set) var handlers: [String] = []
    private var section = ""
    private var text = ""
    /// What the links say that are in the text being read, without blanks.
    private var linked = ""
    private var hasTitle = false

    init(document: HTMLDocument) {
        self.document = document
        roles = document.tree.names.map { name in
            switch name {
            case "title": .title
            case "h1", "h2", "h3", "h4", "h5", "h6": .heading(Int(name.dropFirst()) ?? 1)
            case "a": .link
            case "img": .image
            case "form": .form
            case "script": .script
            case "iframe", "frame", "embed", "object": .frame
            case "meta": .meta
            case "style", "template", "noscript", "svg", "math": .silent
            default: Self.blocks.contains(name) ? .block : nil
            }
        }
    }

    mutating func read() {
        let nodes = document.nodes
        var skipUntil = 0
        // Where the block or heading that is being read ends.
        var ends: [Int] = []
        var headingUntil = 0
        // The button that a form is named by.
        var button = 0..<0
        for index in nodes.indices {
            while let end = ends.last, end <= index {
                ends.removeLast()
                flush()
            }
            let node = nodes[index]
            switch node.kind {
            case .comment: continue
            case .text:
                if index >= skipUntil, index >= headingUntil, !button.contains(index),
                    text.utf8.count < PageOutline.textLimit * 4
                {
                    text += document.tree.text(node.text)
                }
            case .element:
                let element = HTMLElement(document: document, index: index)
                readHandlers(of: node)
                guard index >= skipUntil, let role = roles[Int(node.name)] else { continue }
                let end = Int(node.subtreeEnd)
                switch role {
                case .silent: skipUntil = max(skipUntil, end)
                case .title:
                    skipUntil = max(skipUntil, end)
                    guard !hasTitle else { continue }
                    hasTitle = true
                    keep(PageOutline.Item(kind: .title, text: element.readableText))
                case .meta:
                    if element["name"]?.lowercased() == "description", let content = element["content"] {
                        keep(PageOutline.Item(kind: .description, text: content.collapsingWhitespace))
                    }
                case .heading(let level):
                    flush()
                    let words = element.readableText
                    section = String(words.prefix(200))
                    if !words.isEmpty {
                        keep(PageOutline.Item(kind: .heading, level: level, text: words, section: section))
                    }
                    headingUntil = max(headingUntil, end)
                case .link: readLink(element)
                case .image:
                    keep(
                        PageOutline.Item(
                            kind: .image, text: (element["alt"] ?? "").collapsingWhitespace,
                            target: (element["src"] ?? "").isEmbeddedData ? "data:" : element["src"] ?? "",
                            section: section))
                case .form:
                    flush()
                    ends.append(end)
                    let submit = element.descendants.first { inner in
                        inner.name == "button" || (inner.name == "input" && inner["type"]?.lowercased() == "submit")
                    }
                    let words = submit.map { $0.name == "button" ? $0.readableText : $0["value"] ?? "" } ?? ""
                    if let submit { button = submit.index..<Int(nodes[submit.index].subtreeEnd) }
                    keep(
                        PageOutline.Item(
                            kind: .form, text: words.collapsingWhitespace, target: element["action"] ?? "",
                            section: section))
                case .script:
                    skipUntil = max(skipUntil, end)
                    readScript(element)
                case .frame:
                    skipUntil = max(skipUntil, end)
                    keep(
                        PageOutline.Item(
                            kind: .frame, text: (element["title"] ?? "").collapsingWhitespace,
                            target: element["src"] ?? element["data"] ?? "", section: section,
                            isHidden: element.isHiddenFrame))
                case .block:
                    flush()
                    ends.append(end)
                }
            }
        }
        flush()
    }

    private mutating func keep(_ item: PageOutline.Item) {
        guard items.count < PageOutline.itemLimit else { return }
        var item = item
        item.text = String(item.text.prefix(PageOutline.textLimit))
        item.target = String(item.target.prefix(PageOutline.textLimit))
        items.append(item)
    }

    /// Ends the piece of text that was being read.
    private mutating func flush() {
        guard !text.isEmpty else {
            linked = ""
            return
        }
        let words = text.collapsingWhitespace
        let isLinksOnly = !linked.isEmpty && words.filter { !$0.isWhitespace } == linked
        text = ""
        linked = ""
        // A link by itself is named once.
        if !words.isEmpty, !isLinksOnly { keep(PageOutline.Item(kind: .text, text: words, section: section)) }
    }

    private mutating func readLink(_ element: HTMLElement) {
        guard let address = element["href"] else { return }
        var words = element.readableText
        linked += words.filter { !$0.isWhitespace }
        if words.isEmpty {
            words = element.descendants(named: "img").compactMap { $0["alt"] }.joined(separator: " ")
        }
        if words.isEmpty { words = element["aria-label"] ?? element["title"] ?? "" }
        keep(
            PageOutline.Item(kind: .link, text: words.collapsingWhitespace, target: address, section: section))
        if address.prefix(20).drop(while: \.isWhitespace).lowercased().hasPrefix("javascript:") {
            handlers.append(String(address.prefix(100_000)))
        }
    }

    private mutating func readScript(_ element: HTMLElement) {
        let type = (element["type"] ?? "").lowercased()
        guard
            type.isEmpty || type == "module" || type.contains("javascript") || type.contains("ecmascript")
                || type == "application/ld+json"
        else { return }
        let code = element["src"] == nil ? element.textContent : ""
        guard element["src"] != nil || code.contains(where: { !$0.isWhitespace }) else { return }
        keep(
            PageOutline.Item(
                kind: .script, text: String(code.collapsingWhitespace.prefix(120)), target: element["src"] ?? "",
                section: section, code: type == "application/ld+json" ? "" : code))
    }

    private mutating func readHandlers(of node: HTMLNode) {
        let tree = document.tree
        for index in node.attributes.range ?? 0..<0 {
            let name = tree.names[Int(tree.attributes[index].name)]
            guard name.hasPrefix("on"), handlers.count < PageOutline.itemLimit else { continue }
            handlers.append(tree.text(tree.attributes[index].value))
        }
    }
}

extension HTMLElement {
    /// Whether a visitor cannot see this frame, by its own attributes or those of what is around it.
    fileprivate var isHiddenFrame: Bool {
        if hasHidingStyle || isTiny("width") || isTiny("height") { return true }
        return ancestors.contains { $0.hasHidingStyle }
    }

    private func isTiny(_ name: String) -> Bool {
        guard let value = self[name]?.trimmingPrefix(while: \.isWhitespace),
            let number = Int(value.prefix { $0.isNumber })
        else { return false }
        return number <= 2 && !value.contains("%")
    }

    private var hasHidingStyle: Bool {
        if attribute("hidden") != nil { return true }
        guard let style = self["style"]?.lowercased().filter({ !$0.isWhitespace }) else { return false }
        let declarations = style.split(separator: ";")
        return declarations.contains { declaration in
            switch declaration {
            case "display:none", "visibility:hidden", "opacity:0", "width:0", "height:0", "width:0px", "height:0px",
                "width:1px", "height:1px", "opacity:0.0", "display:none!important", "visibility:hidden!important":
                return true
            default:
                for side in ["left:-", "top:-", "right:-", "text-indent:-", "margin-left:-"]
                where declaration.hasPrefix(side) {
                    return (Int(declaration.dropFirst(side.count).prefix { $0.isNumber }) ?? 0) >= 500
                }
                return false
            }
        }
    }
}
