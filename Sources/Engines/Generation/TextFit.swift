import Domain

/// Texts that have to fit into a number of characters.
enum TextFit {
    /// A title for search engines: both parts when they fit, otherwise as much of the first as fits.
    static func title(_ page: String, _ business: String) -> String {
        let whole = "\(page) · \(business)"
        if whole.count <= PageCopy.titleLimit { return whole }
        if page.count <= PageCopy.titleLimit, page.count >= 20 { return page }
        return cut(whole, to: PageCopy.titleLimit)
    }

    static func description(_ text: String) -> String { cut(text, to: PageCopy.descriptionLimit) }

    /// Whole sentences as long as they fit; otherwise whole words and an ellipsis.
    static func cut(_ text: String, to limit: Int) -> String {
        let flat = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard flat.count > limit else { return flat }
        var fitting = ""
        for sentence in BriefReading.sentences(in: flat) {
            let longer = fitting.isEmpty ? sentence : fitting + " " + sentence
            guard longer.count <= limit else { break }
            fitting = longer
        }
        if fitting.count >= limit / 2 { return fitting }
        var words = ""
        for word in flat.split(separator: " ") {
            guard words.count + word.count + 2 <= limit else { break }
            words += (words.isEmpty ? "" : " ") + word
        }
        if words.isEmpty { words = String(flat.prefix(limit - 1)) }
        while let last = words.last, ",;:–-".contains(last) { words.removeLast() }
        return words + "…"
    }

    static func capitalised(_ text: String) -> String {
        guard let first = text.first else { return text }
        return first.uppercased() + text.dropFirst()
    }

    static func withoutFullStop(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }
}
