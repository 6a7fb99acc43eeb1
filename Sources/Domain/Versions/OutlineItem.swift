/// One thing on a page that a visitor, or a search engine, would name.
package struct OutlineItem: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case title, description, heading, text, link, image, form, script, frame
    }

    package let kind: Kind
    /// Of a heading: 1 to 6; otherwise 0.
    package let level: Int
    /// What is read: the words, the text of a link, the description of an image.
    package let text: String
    /// Where it leads or what it shows: the address of a link, an image, a form, a script or a frame, as written.
    package let target: String
    /// The heading that it stands under; empty above the first.
    package let section: String

    package init(kind: Kind, level: Int = 0, text: String, target: String = "", section: String = "") {
        self.kind = kind
        self.level = level
        self.text = text
        self.target = target
        self.section = section
    }

    /// What makes it the same thing on another version of the page.
    package struct Identity: Hashable, Sendable {
        let kind: Kind
        let level: Int
        let text: String
        let target: String
    }

    package var identity: Identity { Identity(kind: kind, level: level, text: text, target: target) }

    /// Such as `the heading "Opening hours"`.
    package var name: String {
        let words = "\"\(text.abridged(to: 80))\""
        let place = "\"\(target.abridged(to: 80))\""
        return switch kind {
        case .title: "the title \(words)"
        case .description: "the description \(words)"
        case .heading: "the heading \(words)"
        case .text: "the text \(words)"
        case .link: text.isEmpty ? "the link to \(place)" : "the link \(words) to \(place)"
        case .image: text.isEmpty ? "the image \(place)" : "the image \(words) (\(target.abridged(to: 60)))"
        case .form: target.isEmpty ? "the form \(words)" : "the form \(words) to \(place)"
        case .script: target.isEmpty ? "a script in the page" : "the script \(place)"
        case .frame: "the embedded page \(place)"
        }
    }
}

extension StringProtocol {
    /// Cut to so many characters, with a sign that there was more.
    package func abridged(to length: Int) -> String {
        count <= length ? String(self) : String(prefix(length - 1)) + "…"
    }
}
