import Domain

/// Builds one page of our own components.
struct PageBuilder {
    let brief: SiteBrief
    let places: [GeneratedSite.Place]
    let copies: [String: PageCopy]
    let design: SiteDesign
    let place: GeneratedSite.Place

    private var words: Lexicon { Lexicon.of(place.language) }
    /// From the page's folder to the root of the site.
    private var root: String { place.key.contains("/") ? "../" : "" }
    private var siblings: [GeneratedSite.Place] { places.filter { $0.language == place.language } }
    private var isHome: Bool { place.page.role == .home }

    func document(_ copy: PageCopy) -> String {
        SiteFrame(
            language: place.language.rawValue, title: copy.seoTitle, description: copy.seoDescription, root: root,
            brand: brief.businessName, home: "index.html", skip: words.skip, menuName: words.menuName,
            links: links, alternatives: alternatives, footer: footer, layout: design.layout.rawValue
        ).document([top(copy)] + copy.blocks.map(section))
    }

    private var links: [SiteFrame.Link] {
        siblings.map { sibling in
            SiteFrame.Link(
                label: copies[sibling.key]?.label ?? sibling.page.title, target: sibling.page.name + ".html",
                isCurrent: sibling == place)
        }
    }

    /// The same page in the other languages.
    private var alternatives: [SiteFrame.Alternative] {
        places.filter { $0.page.name == place.page.name && $0.language != place.language }.map { other in
            SiteFrame.Alternative(
                language: other.language.rawValue, name: Lexicon.of(other.language).languageName,
                target: root + other.path)
        }
    }

    private var footer: [HTML] {
        let contact = BriefReading(brief).contact
        var lines: [HTML] = []
        if let mail = contact.mail { lines.append(.element("a", ["href": "mailto:\(mail)"], HTML(text: mail))) }
        if let phone = contact.phone {
            lines.append(.element("a", ["href": "tel:\(BriefReading.dialled(phone))"], HTML(text: phone)))
        }
        let joined = HTML(trusted: lines.map(\.source).joined(separator: "<br>"))
        return [
            .element("p", [:], HTML(text: brief.businessName)),
            lines.isEmpty ? .empty : .element("p", [:], joined),
        ]
    }

    // MARK: The top

    private func top(_ copy: PageCopy) -> HTML {
        let eyebrow: HTML =
            copy.eyebrow.isEmpty ? .empty : .element("p", ["class": "eyebrow"], HTML(text: copy.eyebrow))
        let heading = HTML.element("h1", [:], HTML(text: copy.heading))
        let lead: HTML = copy.lead.isEmpty ? .empty : .element("p", ["class": "lead"], HTML(text: copy.lead))
        let buttons = self.buttons(copy.actions)
        guard isHome else {
            return .block(
                "div", ["class": "page-head"],
                [
                    eyebrow, heading, lead, buttons,
                    .element(
                        "figure", ["class": "ribbon"],
                        .void(
                            "img", ["src": root + "images/band.svg", "alt": "", "width": "1440", "height": "160"])),
                ])
        }
        let words =
            design.layout == .poster
            ? [
                HTML.block("div", [:], [eyebrow, heading]),
                HTML.block("div", ["class": "aside"], [lead, buttons]),
            ] : [eyebrow, heading, lead, buttons]
        return .block(
            "div", ["class": "hero"],
            [
                .block("div", ["class": "words"], words),
                .element(
                    "figure", ["class": "art"],
                    .void("img", ["src": root + "images/hero.svg", "alt": "", "width": "960", "height": "720"])),
            ])
    }

    private func buttons(_ actions: [PageCopy.Action], isQuiet: Bool = false) -> HTML {
        guard !actions.isEmpty else { return .empty }
        return .block(
            "p", ["class": "buttons"],
            actions.enumerated().map { index, action in
                .element(
                    "a", ["class": index == 0 && !isQuiet ? "button" : "button quiet", "href": address(action.target)],
                    HTML(text: action.label))
            })
    }

    private func address(_ target: String) -> String {
        target.hasPrefix("mailto:") || target.hasPrefix("tel:") ? target : target + ".html"
    }

    // MARK: Blocks

    private func section(_ block: PageCopy.Block) -> HTML {
        let heading = HTML.element("h2", [:], HTML(text: block.heading))
        let paragraphs = block.paragraphs.map { HTML.element("p", [:], HTML(text: $0)) }
        // The top and the band have the button that counts.
        let buttons = self.buttons(block.action.map { [$0] } ?? [], isQuiet: block.form != .band)
        switch block.form {
        case .text:
            return .block(
                "section", [:],
                [.block("div", ["class": "columns"], [heading, .block("div", [:], paragraphs + [buttons])])])
        case .cards:
            return .block("section", [:], [heading] + paragraphs + [list("ul", "cards", block.items), buttons])
        case .list:
            let items = block.items.map { HTML.element("li", [:], HTML(text: $0.title)) }
            return .block(
                "section", [:], [heading] + paragraphs + [.block("ul", ["class": "big-list"], items), buttons])
        case .steps:
            return .block("section", [:], [heading] + paragraphs + [list("ol", "steps", block.items), buttons])
        case .facts:
            let items = block.items.map { item in
                HTML.block(
                    "div", [:],
                    [.element("dt", [:], HTML(text: item.title)), .element("dd", [:], value(of: item))])
            }
            return .block("section", [:], [heading] + paragraphs + [.block("dl", ["class": "facts"], items), buttons])
        case .band:
            return .block("section", ["class": "band wide"], [heading] + paragraphs + [buttons])
        }
    }

    private func value(of item: PageCopy.Item) -> HTML {
        item.target.isEmpty
            ? HTML(text: item.text) : .element("a", ["href": address(item.target)], HTML(text: item.text))
    }

    private func list(_ name: StaticString, _ style: String, _ items: [PageCopy.Item]) -> HTML {
        .block(
            name, ["class": style],
            items.map { item in
                let title =
                    item.target.isEmpty
                    ? HTML(text: item.title) : .element("a", ["href": address(item.target)], HTML(text: item.title))
                return .block(
                    "li", [:],
                    [
                        .element("h3", [:], title),
                        item.text.isEmpty ? .empty : .element("p", [:], HTML(text: item.text)),
                    ])
            })
    }
}

/// The page for addresses that lead nowhere. It is shown at any depth, so its links begin at the root.
struct NotFoundBuilder {
    let brief: SiteBrief
    let places: [GeneratedSite.Place]
    let copies: [String: PageCopy]
    let design: SiteDesign

    var document: String {
        let language = brief.languages.first ?? .english
        let words = Lexicon.of(language)
        let links = places.filter { $0.language == language }.map { place in
            SiteFrame.Link(
                label: copies[place.key]?.label ?? place.page.title, target: "/\(place.path)", isCurrent: false)
        }
        return SiteFrame(
            language: language.rawValue, title: TextFit.title(words.notFoundTitle, brief.businessName),
            description: words.notFoundText, root: "/", brand: brief.businessName, home: "/index.html",
            skip: words.skip, menuName: words.menuName, links: links, alternatives: [],
            footer: [.element("p", [:], HTML(text: brief.businessName))], layout: design.layout.rawValue
        ).document([
            .block(
                "div", ["class": "page-head"],
                [
                    .element("h1", [:], HTML(text: words.notFoundTitle)),
                    .element("p", ["class": "lead"], HTML(text: words.notFoundText)),
                    .block(
                        "p", ["class": "buttons"],
                        [.element("a", ["class": "button", "href": "/index.html"], HTML(text: words.backHome))]),
                ])
        ])
    }
}

/// What every page has around its content.
struct SiteFrame {
    struct Link {
        let label: String
        let target: String
        let isCurrent: Bool
    }

    struct Alternative {
        let language: String
        let name: String
        let target: String
    }

    let language: String
    let title: String
    let description: String
    /// Before the addresses of files: empty, `../` or `/`.
    let root: String
    let brand: String
    let home: String
    let skip: String
    let menuName: String
    let links: [Link]
    let alternatives: [Alternative]
    let footer: [HTML]
    let layout: String

    func document(_ content: [HTML]) -> String {
        let head = HTML.block(
            "head", [:],
            [
                .void("meta", ["charset": "utf-8"]),
                .void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                .element("title", [:], HTML(text: title)),
                .void("meta", ["name": "description", "content": description]),
                .void("link", ["rel": "icon", "href": root + "favicon.svg", "type": "image/svg+xml"]),
                .void("link", ["rel": "stylesheet", "href": root + "styles.css"]),
            ]
                + alternatives.map {
                    .void("link", ["rel": "alternate", "hreflang": $0.language, "href": $0.target])
                })
        let items =
            links.map { link in
                HTML.element(
                    "li", [:],
                    .element(
                        "a", ["href": link.target, "aria-current": link.isCurrent ? "page" : nil],
                        HTML(text: link.label)))
            }
            + alternatives.map { other in
                HTML.element(
                    "li", [:],
                    .element(
                        "a", ["href": other.target, "lang": other.language, "hreflang": other.language],
                        HTML(text: other.name)))
            }
        let header = HTML.block(
            "header", ["class": "site-header"],
            [
                .block(
                    "div", ["class": "bar"],
                    [
                        .element("a", ["class": "brand", "href": home], HTML(text: brand)),
                        .block("nav", ["aria-label": menuName], [.block("ul", [:], items)]),
                    ])
            ])
        let body = HTML.block(
            "body", ["class": "layout-\(layout)"],
            [
                .element("a", ["class": "skip", "href": "#main"], HTML(text: skip)),
                header, .block("main", ["id": "main", "tabindex": "-1"], content),
                .block("footer", ["class": "site-footer"], [.block("div", ["class": "bar"], footer)]),
            ])
        return "<!DOCTYPE html>\n<html lang=\"\(HTML.escaped(language))\">\n" + head.source + "\n" + body.source
            + "\n</html>\n"
    }
}
