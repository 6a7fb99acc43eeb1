import Markup

/// The links of a page's navigation, and what one more would look like.
struct Navigation {
    private static let markers: Set<Substring> = [
        "active", "current", "selected", "is-active", "current-page", "current_page_item", "here",
    ]

    /// One link with what is repeated for each: its list item, or the link alone.
    struct Item {
        let link: HTMLElement
        let element: HTMLElement
        let target: String
    }

    let layout: PageLayout
    let items: [Item]

    /// The first `nav` (or list in a header) that leads to pages of the site; `nil` when there is none.
    init?(of layout: PageLayout, target: (HTMLElement) -> String?) {
        self.layout = layout
        let elements = Array(layout.document.elements)
        let whole = { (element: HTMLElement) in element.content != nil && element.endTag != nil }
        let candidates =
            elements.filter { ($0.name == "nav" || $0["role"] == "navigation") && whole($0) }
            + elements.filter { list in
                ["ul", "ol"].contains(list.name) && whole(list) && list.ancestors.contains { $0.name == "header" }
            }
        for nav in candidates {
            let items = nav.descendants(named: "a").compactMap { link -> Item? in
                guard whole(link), let path = target(link), path.hasSuffix(".html") || path.hasSuffix(".htm") else {
                    return nil
                }
                guard link["href"]?.contains("#") != true else { return nil }
                let item = link.ancestors.first { $0 == nav || $0.name == "li" }
                guard let item, item != nav, whole(item), item.descendants(named: "a").count == 1 else {
                    return Item(link: link, element: link, target: path)
                }
                return Item(link: link, element: item, target: path)
            }
            // Those side by side with the first: a menu below one of them is another list.
            let side = items.filter {
                $0.element.parent == items.first?.element.parent && $0.element.name == items.first?.element.name
            }
            if side.count >= 2 || side.contains(where: { $0.target == "index.html" }) {
                self.items = side
                return
            }
        }
        return nil
    }

    /// The item that says that this page is shown.
    var current: Item? { items.first { Self.isCurrent($0) } }

    private static func isCurrent(_ item: Item) -> Bool {
        item.link.attribute("aria-current") != nil || !markers.isDisjoint(with: item.link.classes)
            || !markers.isDisjoint(with: item.element.classes)
    }

    /// Adds a link to `target` behind the last one.
    /// - Parameter isCurrent: whether `target` is this page, so that the mark moves to the new link.
    func add(_ name: String, leadingTo target: String, isCurrent: Bool, to edits: inout SourceEdits) {
        // The last ordinary link: a button at the end (“Book now”) stays at the end.
        let isButton = { (item: Item) in
            (item.link.classes + item.element.classes).contains {
                $0.contains("button") || $0.contains("btn") || $0.contains("cta")
            }
        }
        guard let last = items.last(where: { !isButton($0) }) ?? items.last, let range = last.element.range else {
            return
        }
        let source = layout.document.source
        // White space or a dot between two links is repeated.
        var gap = ""
        if let index = items.firstIndex(where: { $0.element == last.element }), index > 0,
            let before = items[index - 1].element.range,
            before.upperBound <= range.lowerBound, range.lowerBound - before.upperBound <= 200,
            !source[before.upperBound..<range.lowerBound].contains(0x3c)
        {
            gap = String(decoding: source[before.upperBound..<range.lowerBound], as: UTF8.self)
        } else {
            let indentation = layout.indentation(at: range.lowerBound)
            gap = indentation.isEmpty ? "" : "\n" + indentation
        }
        edits.insert(gap + text(for: name, target, like: last, isCurrent: isCurrent), at: range.upperBound)
        if isCurrent { removeMark(from: &edits) }
    }

    /// Takes the mark of the page that is shown away.
    func removeMark(from edits: inout SourceEdits) {
        guard let current else { return }
        edits.removeAttribute("aria-current", of: current.link)
        for element in Set([current.link, current.element]) { Self.removeMarkers(of: element, from: &edits) }
    }

    private static func removeMarkers(of element: HTMLElement, from edits: inout SourceEdits) {
        guard !markers.isDisjoint(with: element.classes) else { return }
        let kept = element.classes.filter { !markers.contains($0) }
        if kept.isEmpty {
            edits.removeAttribute("class", of: element)
        } else {
            edits.set("class", of: element, to: kept.joined(separator: " "))
        }
    }

    private func text(for name: String, _ target: String, like sample: Item, isCurrent: Bool) -> String {
        let address = layout.address(of: target, like: sample.link["href"] ?? "")
        guard let itemRange = sample.element.range, let linkRange = sample.link.range,
            let tag = sample.link.startTag
        else { return "" }
        var start = SourceEdits()
        start.set("href", of: sample.link, to: address)
        for name in ["aria-current", "id", "title", "aria-label"] { start.removeAttribute(name, of: sample.link) }
        Self.removeMarkers(of: sample.link, from: &start)
        if sample.element != sample.link {
            Self.removeMarkers(of: sample.element, from: &start)
            start.removeAttribute("id", of: sample.element)
        }
        // The words of the link, and of its item nothing else.
        start.replace(tag.upperBound..<linkRange.upperBound, with: "\(name.escapedForText)</a>")
        var copy = start.applied(to: Array(layout.document.source))
        let source = layout.document.source
        copy = Array(copy[itemRange.lowerBound..<(copy.count - (source.count - itemRange.upperBound))])
        guard isCurrent, let mark = current else { return String(decoding: copy, as: UTF8.self) }
        guard let document = try? HTMLDocument(parsing: copy), let link = document.firstElement(named: "a") else {
            return String(decoding: copy, as: UTF8.self)
        }
        var marks = SourceEdits()
        if let value = mark.link["aria-current"] { marks.set("aria-current", of: link, to: value) }
        var pairs = [(mark.link, link)]
        if mark.element != mark.link, let item = document.firstElement(named: mark.element.name) {
            pairs.append((mark.element, item))
        }
        for (old, new) in pairs {
            let classes = old.classes.filter { Self.markers.contains($0) }
            if !classes.isEmpty { marks.set("class", of: new, to: (new.classes + classes).joined(separator: " ")) }
        }
        return String(decoding: marks.applied(to: copy), as: UTF8.self)
    }
}
