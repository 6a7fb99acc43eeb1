/// The patterns of single requests. Each looks at all words of a sentence and takes it or leaves it.
enum RequestPattern {
    private typealias Words = ArraySlice<PromptWord>

    static func request(in words: ArraySlice<PromptWord>) throws(BuiltinRefusal) -> BuiltinRequest? {
        guard let verb = words.first?.key else { return nil }
        let rest = words.dropFirst()
        switch verb {
        case "replace", "substitute", "swap": return replacement(rest)
        case "change", "set", "update", "make", "turn", "edit", "rewrite", "modify", "switch", "rename":
            if let found = replacement(rest) ?? (verb == "make" ? addition(rest) : nil) { return found }
            if let found = try colour(rest) { return found }
            return wording(rest)
        case "add", "create", "build", "insert", "include", "write": return addition(rest)
        case "remove", "delete", "drop", "erase": return removal(rest)
        case "get" where rest.prefix(2).map(\.key) == ["rid", "of"]: return removal(rest.dropFirst(2))
        case "take" where ["away", "out", "down", "off"].contains(rest.first?.key ?? ""):
            return removal(rest.dropFirst())
        default:
            // “The headline should say …”
            guard let should = words.firstIndex(where: { ["should", "must", "shall"].contains($0.key) }) else {
                return nil
            }
            let joined = words[..<should] + words[(should + 1)...]
            return try colour(joined[...]) ?? wording(joined[...])
        }
    }

    // MARK: Replace "A" with "B"

    private static func replacement(_ words: ArraySlice<PromptWord>) -> BuiltinRequest? {
        var words = withoutArticles(words)
        if let noun = words.first?.key, textNouns.contains(noun), words.dropFirst().first?.quotation != nil {
            words = words.dropFirst()
        }
        guard let old = words.first?.quotation, !old.isEmpty, words.count >= 3 else { return nil }
        words = words.dropFirst()
        guard let link = words.first?.key, ["with", "to", "by", "into", "for", "→", "->"].contains(link) else {
            return nil
        }
        words = withoutArticles(words.dropFirst())
        if let noun = words.first?.key, textNouns.contains(noun) { words = words.dropFirst() }
        guard let new = words.first?.quotation else { return nil }
        words = words.dropFirst()
        if words.isEmpty || isEverywhere(words) { return .replace(old, with: new, page: nil) }
        guard let page = pageBehindPreposition(words) else { return nil }
        return .replace(old, with: new, page: page)
    }

    private static let textNouns: Set<String> = [
        "text", "texts", "word", "words", "phrase", "sentence", "wording", "name",
    ]

    private static func isEverywhere(_ words: ArraySlice<PromptWord>) -> Bool {
        [
            "everywhere", "on all pages", "on every page", "in all pages", "on each page", "on the whole site",
            "on the site", "on the website",
            "in the whole site", "across the site", "throughout the site", "throughout", "on the entire site",
            "all over the site", "in every page",
        ].contains(words.map(\.key).joined(separator: " "))
    }

    // MARK: Change the headline [of PAGE] to "X"

    private static func wording(_ words: ArraySlice<PromptWord>) -> BuiltinRequest? {
        let unquoted = words.prefix { $0.quotation == nil }
        guard let kindIndex = unquoted.firstIndex(where: { kinds[$0.key] != nil }),
            let kind = kinds[words[kindIndex].key]
        else {
            return nil
        }
        // Before the noun: a page, or words that say nothing.
        let before = words[..<kindIndex].filter { !descriptive.contains($0.key) }
        guard !before.contains(where: { links.contains($0.key) }) else { return nil }
        var page = before.isEmpty ? nil : pageName(before[...])
        var rest = words[(kindIndex + 1)...]
        if let found = takePage(&rest, before: links) { page = found }
        guard takeLink(&rest), let first = rest.first else { return nil }
        let text: String
        if let quotation = first.quotation {
            text = quotation
            rest = rest.dropFirst()
            if !rest.isEmpty {
                guard let found = pageBehindPreposition(rest) else { return nil }
                page = found
            }
        } else {
            guard !rest.contains(where: { $0.quotation != nil }) else { return nil }
            text = rest.map(\.raw).joined(separator: " ").cleaned
        }
        guard !text.isEmpty else { return nil }
        switch kind {
        case .headline: return .headline(page: page, text: text)
        case .title: return .title(page: page, text: text)
        case .description: return .description(page: page, text: text)
        }
    }

    private enum Kind { case headline, title, description }

    private static let kinds: [String: Kind] = [
        "headline": .headline, "heading": .headline, "h1": .headline, "title": .title, "description": .description,
    ]
    private static let descriptive: Set<String> = [
        "the", "my", "our", "its", "this", "a", "main", "page", "page's", "page’s", "big", "top", "first", "browser",
        "tab", "meta", "search",
        "site", "site's", "site’s", "website", "website's", "website’s", "seo",
    ]
    /// Words between what is changed and what it becomes.
    private static let links: Set<String> = [
        "to", "as", "into", "say", "says", "read", "reads", "be", "become", "with", "so", "=", ":",
    ]

    private static func takeLink(_ words: inout ArraySlice<PromptWord>) -> Bool {
        var taken = false
        while let key = words.first?.key, words.first?.quotation == nil,
            links.contains(key)
                || (taken && ["that", "it", "the", "text"].contains(key) && words.contains { $0.quotation != nil })
        {
            let isSecond = taken && !["say", "read", "be", "says", "reads", "that", "it", "the", "text"].contains(key)
            if isSecond { break }
            words = words.dropFirst()
            taken = true
        }
        return taken || words.first?.quotation != nil
    }

    // MARK: Change the accent colour to teal

    private static func colour(_ words: ArraySlice<PromptWord>) throws(BuiltinRefusal) -> BuiltinRequest? {
        let words = words.filter { !["the", "my", "our", "a", "all", "its"].contains($0.key) || $0.quotation != nil }
        let keys = words.map(\.key)
        let saysColour = keys.contains { ["colour", "color", "colours", "colors", "coloured", "colored"].contains($0) }
        guard let roleIndex = keys.firstIndex(where: { ColourRole(word: $0) != nil }), roleIndex <= 4,
            var role = ColourRole(word: keys[roleIndex])
        else { return nil }
        // “main background”: the word behind says more.
        if roleIndex + 1 < keys.count, let next = ColourRole(word: keys[roleIndex + 1]), role == .primary {
            role = next
        }
        guard saysColour || role != .heading else { return nil }
        let end = keys.lastIndex {
            ["to", "into", "be", "as", "=", "colour", "color", "colours", "colors"].contains($0)
        }
        let start = max(roleIndex, end ?? roleIndex) + 1
        guard start < words.count else { return nil }
        let value = words[start...]
        let text = value.map { $0.quotation ?? $0.key }.joined(separator: " ")
        // “make the background dark blue”, “make links red”
        let candidates = [
            text, value.drop { ColourRole(word: $0.key) != nil }.map { $0.quotation ?? $0.key }.joined(separator: " "),
        ]
        if let colour = candidates.lazy.compactMap({ Colour($0) }).first { return .colour(role, colour) }
        guard saysColour, end != nil else { return nil }
        throw BuiltinRefusal(
            "I do not know the colour \(text.quoted). Please use an English name that browsers know, such as teal or dark blue, or a code such as #1f7a5c."
        )
    }

    // MARK: Add a page or a section

    private static func addition(_ words: ArraySlice<PromptWord>) -> BuiltinRequest? {
        var words = withoutArticles(words)
        var page: String?
        let isSection: Bool
        var name: ArraySlice<PromptWord>
        if let noun = words.first?.key, let kind = nouns[noun] {
            isSection = kind
            words = words.dropFirst()
            if isSection, let found = takePage(&words, before: naming.union(saying)) { page = found }
            if let next = words.first?.key, naming.contains(next) { words = words.dropFirst() }
            if words.first?.key == "the", ["title", "name", "heading"].contains(words.dropFirst().first?.key ?? "") {
                words = words.dropFirst(2)
            }
            name = []
        } else if let nounIndex = words.firstIndex(where: { nouns[$0.key] != nil }), nounIndex > words.startIndex,
            let kind = nouns[words[nounIndex].key], !words[..<nounIndex].contains(where: { naming.contains($0.key) })
        {
            isSection = kind
            name = words[..<nounIndex]
            words = words[(nounIndex + 1)...]
        } else {
            return nil
        }
        if name.isEmpty {
            if words.first?.quotation != nil {
                name = words.prefix(1)
            } else {
                name = words.prefix {
                    $0.quotation == nil && !saying.contains($0.key) && !(isSection && ["to", "on"].contains($0.key))
                }
            }
            words = words.dropFirst(name.count)
            // “called That says it all with …”: a verb form belongs to what follows.
            if let last = name.last?.key, ["that", "which", "and"].contains(last) { name = name.dropLast() }
        }
        var text: String?
        while !words.isEmpty {
            if isSection, page == nil, let found = takePage(&words, before: saying) {
                page = found
            } else if text == nil, takeSaying(&words), let first = words.first {
                if let quotation = first.quotation {
                    text = quotation
                    words = words.dropFirst()
                } else {
                    text = words.map(\.raw).joined(separator: " ").cleaned
                    words = []
                }
            } else {
                return nil
            }
        }
        let called = joined(name)
        guard !called.isEmpty, text != "" else { return nil }
        return isSection ? .addSection(called, page: page, text: text) : .addPage(called, text: text)
    }

    /// `true` for a section.
    private static let nouns: [String: Bool] = [
        "page": false, "webpage": false, "subpage": false, "site-page": false, "section": true, "paragraph": true,
        "block": true,
    ]
    private static let naming: Set<String> = [
        "called", "named", "titled", "about", "for", "entitled", "headed", "with",
    ]
    private static let saying: Set<String> = [
        "saying", "says", "say", "with", "that", "which", "reading", "reads", "containing", "contains", "stating",
        "text", "content",
    ]

    private static func takeSaying(_ words: inout ArraySlice<PromptWord>) -> Bool {
        var taken = false
        if words.first?.key == "and", let next = words.dropFirst().first?.key, saying.contains(next) {
            words = words.dropFirst()
        }
        while let word = words.first, word.quotation == nil,
            saying.contains(word.key) || (taken && ["the", "it", "a", "this"].contains(word.key))
        {
            words = words.dropFirst()
            taken = true
        }
        return taken
    }

    // MARK: Remove a page or a section

    private static func removal(_ words: ArraySlice<PromptWord>) -> BuiltinRequest? {
        var words = withoutArticles(words)
        if let noun = words.first?.key, textNouns.contains(noun), let text = words.dropFirst().first?.quotation,
            !text.isEmpty
        {
            let rest = words.dropFirst(2)
            if rest.isEmpty || isEverywhere(rest) { return .replace(text, with: "", page: nil) }
            return pageBehindPreposition(rest).map { .replace(text, with: "", page: $0) }
        }
        if let noun = words.first?.key, let isSection = nouns[noun] {
            words = words.dropFirst()
            if let next = words.first?.key, naming.contains(next) { words = words.dropFirst() }
            return removal(of: words, isSection: isSection)
        }
        if let nounIndex = words.firstIndex(where: { nouns[$0.key] != nil }),
            let isSection = nouns[words[nounIndex].key]
        {
            return removal(of: words[..<nounIndex] + words[(nounIndex + 1)...], isSection: isSection)
        }
        if words.count == 1, let word = words.first, (word.quotation ?? word.key).hasSuffix(".html") {
            return .removePage(word.quotation ?? word.raw)
        }
        return nil
    }

    private static func removal(of words: ArraySlice<PromptWord>, isSection: Bool) -> BuiltinRequest? {
        guard isSection else {
            let name = joined(words)
            return name.isEmpty ? nil : .removePage(name)
        }
        let name =
            words.first?.quotation != nil
            ? words.prefix(1) : words.prefix { !["from", "on", "of", "in"].contains($0.key) }
        let rest = words.dropFirst(name.count)
        guard !name.isEmpty else { return nil }
        if rest.isEmpty { return .removeSection(joined(name), page: nil) }
        return pageBehindPreposition(rest).map { .removeSection(joined(name), page: $0) }
    }

    // MARK: Pages

    private static let prepositions: Set<String> = ["of", "on", "for", "in", "at", "to", "from"]

    /// “of the about page”, up to one of the words in `stops` or a quotation; the name itself may be quoted.
    private static func takePage(_ words: inout ArraySlice<PromptWord>, before stops: Set<String>) -> String? {
        guard let first = words.first?.key, prepositions.contains(first), !stops.contains(first) else { return nil }
        var rest = withoutArticles(words.dropFirst())
        // “of the page called "X"”
        if rest.first?.key == "page" {
            let behind = rest.dropFirst().drop { ["called", "named", "titled"].contains($0.key) }
            if behind.first?.quotation != nil { rest = behind }
        }
        var name: ArraySlice<PromptWord>
        if rest.first?.quotation != nil {
            name = rest.prefix(rest.dropFirst().first?.key == "page" ? 2 : 1)
        } else {
            name = []
            for index in rest.indices {
                let word = rest[index]
                // “the about page”: `about` is a name here.
                let isName = index + 1 < rest.endIndex && rest[index + 1].key == "page"
                if word.quotation != nil || (stops.contains(word.key) && !isName) { break }
                name = rest[rest.startIndex...index]
            }
        }
        guard let page = pageName(name) else { return nil }
        words = rest.dropFirst(name.count)
        return page
    }

    /// All words are a preposition and a page.
    private static func pageBehindPreposition(_ words: ArraySlice<PromptWord>) -> String? {
        guard let first = words.first?.key, prepositions.contains(first) else { return nil }
        return pageName(words.dropFirst())
    }

    private static func pageName(_ words: ArraySlice<PromptWord>) -> String? {
        let kept = withoutArticles(words).filter { $0.quotation != nil || $0.key != "page" }
        guard !kept.isEmpty else { return words.contains { $0.key == "page" } ? "index.html" : nil }
        guard kept.count <= 8 else { return nil }
        let name = joined(kept[...])
        return name.hasSuffix("'s") || name.hasSuffix("’s") ? String(name.dropLast(2)) : name
    }

    private static func joined(_ words: ArraySlice<PromptWord>) -> String {
        words.map { word in
            word.quotation ?? (word.raw.last == "," || word.raw.last == ":" ? String(word.raw.dropLast()) : word.raw)
        }.joined(separator: " ").cleaned
    }

    private static func withoutArticles(_ words: ArraySlice<PromptWord>) -> ArraySlice<PromptWord> {
        words.drop {
            $0.quotation == nil && ["the", "a", "an", "another", "new", "my", "our", "this", "extra"].contains($0.key)
        }
    }
}
