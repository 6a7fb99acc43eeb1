/// The words of one page in one language. Plain text: whoever builds the page escapes it.
package struct PageCopy: Sendable, Equatable, Codable {
    /// One part of a page, shown by the component of its form.
    package struct Block: Sendable, Equatable, Codable {
        package enum Form: String, Sendable, Hashable, CaseIterable, Codable {
            /// Paragraphs.
            case text
            /// Items side by side, each with a title and perhaps a text.
            case cards
            /// Short items, one below the other, in large letters.
            case list
            /// Numbered items, one after the other.
            case steps
            /// Pairs of a name and a value.
            case facts
            /// A band in the accent's colour with one thing to do next.
            case band
        }

        package let form: Form
        package let heading: String
        package let paragraphs: [String]
        package let items: [Item]
        package let action: Action?

        package init(
            _ form: Form, heading: String, paragraphs: [String] = [], items: [Item] = [], action: Action? = nil
        ) {
            self.form = form
            self.heading = heading
            self.paragraphs = paragraphs
            self.items = items
            self.action = action
        }
    }

    package struct Item: Sendable, Equatable, Codable {
        package let title: String
        package let text: String
        /// The page of the plan that it leads to; empty when it leads nowhere.
        package let target: String

        package init(_ title: String, _ text: String = "", target: String = "") {
            self.title = title
            self.text = text
            self.target = target
        }
    }

    /// A button: its words and the page of the plan, `mailto:` or `tel:` that it leads to.
    package struct Action: Sendable, Equatable, Codable {
        package let label: String
        package let target: String

        package init(_ label: String, to target: String) {
            self.label = label
            self.target = target
        }
    }

    package static let titleLimit = 60
    package static let descriptionLimit = 155

    /// For search engines and the browser's tab; at most 60 characters.
    package let seoTitle: String
    /// For search engines; at most 155 characters.
    package let seoDescription: String
    /// The page's name in the navigation, in the page's language.
    package let label: String
    /// A few words above the heading; may be empty.
    package let eyebrow: String
    package let heading: String
    package let lead: String
    package let actions: [Action]
    package let blocks: [Block]

    package init(
        seoTitle: String, seoDescription: String, label: String, eyebrow: String, heading: String, lead: String,
        actions: [Action] = [], blocks: [Block]
    ) {
        self.seoTitle = seoTitle
        self.seoDescription = seoDescription
        self.label = label
        self.eyebrow = eyebrow
        self.heading = heading
        self.lead = lead
        self.actions = actions
        self.blocks = blocks
    }

    private enum CodingKeys: String, CodingKey {
        case seoTitle = "seo_title"
        case seoDescription = "seo_description"
        case label, eyebrow, heading, lead, actions, blocks
    }

    /// Why it cannot be built on a site with `pages`, in sentences; empty when it can.
    package func problems(on pages: Set<String>) -> [String] {
        var problems: [String] = []
        if !(1...Self.titleLimit).contains(seoTitle.count) {
            problems.append("seo_title must have 1 to \(Self.titleLimit) characters")
        }
        if !(1...Self.descriptionLimit).contains(seoDescription.count) {
            problems.append("seo_description must have 1 to \(Self.descriptionLimit) characters")
        }
        if !(1...40).contains(label.count) { problems.append("label must have 1 to 40 characters") }
        if !(1...120).contains(heading.count) { problems.append("heading must have 1 to 120 characters") }
        if eyebrow.count > 80 { problems.append("eyebrow must have at most 80 characters") }
        if lead.count > 600 { problems.append("lead must have at most 600 characters") }
        if blocks.count > 12 { problems.append("a page has at most 12 blocks") }
        if actions.count > 3 { problems.append("a page has at most 3 actions at its top") }
        for action in actions + blocks.compactMap(\.action) where !Self.isKnown(action.target, pages) {
            problems.append("an action leads to \"\(action.target.prefix(60))\", which is no page of the plan")
        }
        for action in actions + blocks.compactMap(\.action) where !(1...60).contains(action.label.count) {
            problems.append("the label of an action must have 1 to 60 characters")
        }
        for item in blocks.flatMap(\.items) where !item.target.isEmpty && !Self.isKnown(item.target, pages) {
            problems.append("an item leads to \"\(item.target.prefix(60))\", which is no page of the plan")
        }
        for block in blocks {
            let texts = [block.heading] + block.paragraphs + block.items.flatMap { [$0.title, $0.text] }
            if texts.contains(where: { $0.count > 4000 }) { problems.append("a text has more than 4,000 characters") }
            if block.items.count > 24 || block.paragraphs.count > 24 {
                problems.append("a block has more than 24 parts")
            }
        }
        let all = ([lead, heading] + blocks.flatMap { [$0.heading] + $0.paragraphs }).joined(separator: " ")
            .lowercased()
        for placeholder in ["lorem ipsum", "your text here", "[insert", "tbd", "xxx-xxx"]
        where all.contains(placeholder) {
            problems.append("there is a place to fill in: \"\(placeholder)\"")
        }
        return problems
    }

    private static func isKnown(_ target: String, _ pages: Set<String>) -> Bool {
        pages.contains(target) || (target.hasPrefix("mailto:") && target.contains("@")) || target.hasPrefix("tel:")
    }
}
