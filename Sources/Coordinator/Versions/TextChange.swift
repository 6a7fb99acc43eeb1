import Domain
import Markup

/// One text of a page, written anew by hand.
package struct TextChange: Sendable {
    /// How long a text may be, in characters.
    private static let limit = 5000
    private static let unreadable: Set<String> = ["script", "style", "title", "textarea", "template", "noscript"]

    /// Where it is, such as `index.html`.
    package let path: String
    /// What stands there now, white space aside.
    package let old: String
    /// 0 for the first text of the page that reads so, 1 for the second.
    package let index: Int
    package let new: String

    package init(path: String, old: String, index: Int, new: String) {
        self.path = path
        self.old = old
        self.index = index
        self.new = new
    }

    /// For people: what was done.
    var summary: String {
        "Wrote “\(Self.short(new))” in the place of “\(Self.short(old))” in \(path)"
    }

    /// The page with the new text. Everything else stays as it is, byte for byte.
    func applied(to source: [UInt8]) throws -> [UInt8] {
        let wanted = new.trimmed
        guard wanted.count <= Self.limit, !wanted.utf8.contains(0) else {
            throw ServiceError(
                .invalidArgument, "the text is longer than \(Self.limit) characters", field: "new", rule: "text-length")
        }
        let document: HTMLDocument
        do {
            document = try HTMLDocument(parsing: source)
        } catch {
            throw ServiceError(
                .failedPrecondition, "\(path) cannot be read as a page", rule: "text-place", cause: error)
        }
        let sought = old.collapsingWhitespace
        let places = document.texts.filter {
            $0.value.collapsingWhitespace == sought && !Self.unreadable.contains($0.parent?.name ?? "")
        }
        guard !sought.isEmpty, places.indices.contains(index), let range = places[index].range else {
            throw ServiceError(
                .failedPrecondition, "this text is not in \(path) as it stands", rule: "text-place",
                nextStep: "It may come from a script. Ask for the change in words instead.")
        }
        // White space around the text may be what keeps it apart from its neighbours.
        let lead = source[range].prefix(while: Self.isSpace).count
        var end = range.upperBound
        while end > range.lowerBound + lead, Self.isSpace(source[end - 1]) { end -= 1 }
        var page = Array(source[..<(range.lowerBound + lead)])
        page += Self.escaped(wanted)
        page += source[end...]
        return page
    }

    private static func escaped(_ text: String) -> [UInt8] {
        text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "<"): Array("&lt;".utf8)
            case UInt8(ascii: ">"): Array("&gt;".utf8)
            case UInt8(ascii: "&"): Array("&amp;".utf8)
            default: [byte]
            }
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private static func short(_ text: String) -> String {
        let line = text.collapsingWhitespace
        return line.count > 60 ? line.prefix(60) + "…" : line
    }
}
