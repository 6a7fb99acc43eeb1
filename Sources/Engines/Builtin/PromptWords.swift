/// A request cut into sentences and words; what stands between quotation marks is one word.
struct PromptWord: Equatable, Sendable {
    /// As written, for values without quotation marks.
    let raw: String
    /// To compare: lower case, without punctuation at the end. Empty for quoted words.
    let key: String
    /// What is between the marks, when there are any.
    let quotation: String?
    /// Whether a comma follows.
    var hasComma = false
}

enum PromptWords {
    private static let closing: [Character: [Character]] = [
        "\"": ["\"", "”", "“"], "“": ["”", "\"", "“"], "„": ["“", "”", "\""], "«": ["»"], "‹": ["›"],
        "'": ["'", "’"], "‘": ["’", "'"], "`": ["`", "'", "´"],
    ]

    /// The sentences of a prompt. One ends at a line's end, and at `.`, `!`, `?` or `;` before a blank, outside of quotation marks.
    static func sentences(of prompt: String) -> [[PromptWord]] {
        var sentences: [[PromptWord]] = [[]]
        let characters = Array(prompt)
        var index = 0
        func endSentence() { if sentences.last?.isEmpty == false { sentences.append([]) } }
        while index < characters.count {
            let character = characters[index]
            if character.isNewline {
                endSentence()
                index += 1
            } else if character.isWhitespace {
                index += 1
            } else if let close = closingIndex(in: characters, from: index) {
                let text = String(characters[(index + 1)..<close])
                sentences[sentences.count - 1].append(PromptWord(raw: text, key: "", quotation: text.cleaned))
                index = close + 1
                // Punctuation behind the mark belongs to the sentence.
                while index < characters.count, ".!?;,:".contains(characters[index]) {
                    if characters[index] == "," { sentences[sentences.count - 1].markComma() }
                    if ".!?;".contains(characters[index]) { endSentence() }
                    index += 1
                }
            } else {
                let start = index
                while index < characters.count, !characters[index].isWhitespace,
                    !isOpening(characters, index, after: start)
                {
                    index += 1
                }
                let raw = String(characters[start..<index])
                let bare = String(raw.reversed().drop { ".!?;,:".contains($0) }.reversed())
                let ends = raw.last.map { ".!?;".contains($0) } ?? false
                if !bare.isEmpty, !isBullet(raw) {
                    let shown = ends ? String(raw.dropLast()) : raw
                    sentences[sentences.count - 1].append(
                        PromptWord(raw: shown, key: bare.lowercased(), quotation: nil, hasComma: raw.hasSuffix(",")))
                }
                if ends, !isBullet(raw) { endSentence() }
            }
        }
        return sentences.filter { !$0.isEmpty }
    }

    /// `-`, `*`, `•`, `1.`, `2)` before a request in a list.
    private static func isBullet(_ raw: String) -> Bool {
        if ["-", "*", "•", "–", "—"].contains(raw) { return true }
        guard let last = raw.last, ".)".contains(last), raw.count <= 4 else { return false }
        return raw.count > 1 && raw.dropLast().allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// A double quotation mark directly behind a word, such as `to:"X"`, begins a quotation; an apostrophe does not.
    private static func isOpening(_ characters: [Character], _ index: Int, after start: Int) -> Bool {
        guard index > start, "\"“„«".contains(characters[index]) else { return false }
        return closingIndex(in: characters, from: index) != nil
    }

    /// Where the quotation that opens here closes: at its own mark, or at another that people type instead.
    private static func closingIndex(in characters: [Character], from index: Int) -> Int? {
        guard let closers = closing[characters[index]] else { return nil }
        let isSingle = "'‘`".contains(characters[index])
        func first(of closers: some Sequence<Character>) -> Int? {
            let closers = Set(closers)
            return characters.indices[(index + 1)...].first { candidate in
                guard closers.contains(characters[candidate]), candidate > index + 1 || !isSingle else { return false }
                // An apostrophe within a word closes nothing.
                let next = candidate + 1 < characters.count ? characters[candidate + 1] : " "
                return !isSingle || !(next.isLetter || next.isNumber)
            }
        }
        guard let own = first(of: closers.prefix(1)) else { return first(of: closers) }
        // “A" to “B”: the second quotation opens before the first one’s mark, so the first was closed by another.
        let isOpenedAgain = own > index + 1 && characters[(index + 1)..<own].contains(characters[index])
        return isOpenedAgain ? first(of: closers) : own
    }
}

extension [PromptWord] {
    fileprivate mutating func markComma() {
        if !isEmpty { self[count - 1].hasComma = true }
    }
}

extension String {
    /// White space collapsed and control characters gone: what people type into one field.
    var cleaned: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.filter { $0.value >= 0x20 || $0.properties.isWhitespace }.filter { $0.value != 0x7f })
        )
        .split { $0.isWhitespace }.joined(separator: " ")
    }
}
