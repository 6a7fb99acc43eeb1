/// A language that pages are written in; the raw value is the `lang` of the page.
package enum SiteLanguage: String, Sendable, Hashable, CaseIterable, Codable {
    case english = "en"
    case german = "de"
}

extension SiteLanguage {
    /// Reads it from the small words of a text; English in doubt.
    package init(of text: String) {
        let german: Set<String> = [
            "und", "der", "die", "das", "wir", "mit", "für", "ein", "eine", "ist", "im", "von", "zu", "auf", "nicht",
            "sie",
        ]
        let english: Set<String> = [
            "and", "the", "we", "with", "for", "a", "an", "is", "in", "of", "to", "on", "not", "our", "you", "are",
        ]
        var score = 0
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) {
            if german.contains(String(word)) { score += 1 }
            if english.contains(String(word)) { score -= 1 }
        }
        self = score > 0 ? .german : .english
    }
}
