import Domain

/// What fixed rules can read out of a brief: its sentences, the things that it lists, and ways to get in touch. Only what
/// stands there.
struct BriefReading {
    struct Contact: Equatable {
        var mail: String?
        var phone: String?
    }

    let sentences: [String]
    /// Such as `Sourdough bread`, `Croissants`; empty when the description lists nothing.
    let offers: [String]
    let contact: Contact

    init(_ brief: SiteBrief) {
        sentences = Self.sentences(in: brief.description)
        offers = Self.offers(in: sentences)
        contact = Self.contact(in: brief.description)
    }

    // MARK: Sentences

    private static let abbreviations: Set<String> = [
        "e.g.", "i.e.", "mr.", "mrs.", "ms.", "dr.", "st.", "no.", "z.b.", "d.h.", "ca.", "inkl.", "usw.", "bzw.",
        "nr.",
        "str.", "prof.", "co.", "ltd.", "inc.", "etc.", "approx.", "z.", "b.",
    ]

    /// Ends at `.`, `!`, `?` before white space, and at line ends; each sentence has an end of its own.
    static func sentences(in text: String) -> [String] {
        var sentences: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var words: [Substring] = []
            for word in line.split(whereSeparator: \.isWhitespace) {
                words.append(word)
                guard let last = word.last, ".!?".contains(last), !abbreviations.contains(word.lowercased()),
                    word.dropLast().contains(where: \.isLetter) || word.dropLast().count > 1
                else { continue }
                sentences.append(words.joined(separator: " "))
                words = []
            }
            if !words.isEmpty {
                var rest = words.joined(separator: " ")
                while let last = rest.last, "•*-–".contains(last) { rest.removeLast() }
                if !rest.isEmpty { sentences.append(rest + (rest.last.map { ".!?:".contains($0) } == true ? "" : ".")) }
            }
        }
        return sentences.filter { $0.contains(where: \.isLetter) }
    }

    // MARK: Lists

    /// After one of these, a sentence says what there is.
    private static let verbs: Set<String> = [
        "bake", "bakes", "make", "makes", "making", "offer", "offers", "offering", "serve", "serves", "serving", "sell",
        "sells", "selling", "build", "builds", "building", "repair", "repairs", "repairing", "teach", "teaches",
        "design",
        "designs", "designing", "restore", "restores", "grow", "grows", "roast", "roasts", "brew", "brews", "provide",
        "provides", "craft", "crafts", "cook", "cooks", "organise", "organises", "organize", "organizes", "photograph",
        "photographs", "treat", "treats", "treating", "include", "includes", "including", "with", "for", "such",
        "train", "trains",
        "as", "like", "do", "does", "play", "plays", "install", "installs", "plan", "plans", "have", "has", "produce",
        "produces", "create", "creates", "creating", "run", "runs",
        "backen", "backt", "bieten", "bietet", "machen", "macht", "verkaufen", "verkauft", "bauen", "baut",
        "reparieren",
        "repariert", "servieren", "serviert", "kochen", "kocht", "gestalten", "gestaltet", "fertigen", "fertigt",
        "restaurieren", "restauriert", "behandeln", "behandelt", "brauen", "braut", "rösten", "röstet", "fotografieren",
        "fotografiert", "führen", "führt", "haben", "hat", "mit", "für", "wie", "spielen", "spielt", "planen", "plant",
        "unterrichten", "unterrichtet", "montieren", "montiert", "pflegen", "pflegt", "sind", "von",
    ]

    /// With one of these in it, a part of a sentence is a sentence of its own and no thing.
    private static let stops: Set<String> = [
        "we", "you", "i", "they", "he", "she", "it", "is", "are", "was", "were", "our", "your", "who", "which", "that",
        "where", "when", "because", "than", "wir", "sie", "ihr", "ich", "er", "es", "ist", "sind", "war", "unser",
        "unsere", "unseren", "die", "der", "das", "den", "dass", "weil", "wenn", "wo", "since", "seit", "also", "auch",
    ]

    /// What begins with one of these says where or when, and is no thing.
    private static let circumstances: Set<String> = [
        "in", "at", "on", "to", "twice", "once", "every", "from", "by", "zweimal", "einmal", "jeden", "jede", "im",
        "am", "bei",
        "nach", "aus", "durch",
    ]

    private static let articles: Set<String> = ["a", "an", "the", "some", "ein", "eine", "einen", "einem", "our"]

    private static func offers(in sentences: [String]) -> [String] {
        var best: [String] = []
        for sentence in sentences {
            let found = offers(in: sentence)
            if found.count > best.count { best = found }
        }
        return best.count >= 2 ? Array(best.prefix(8)) : []
    }

    private static func offers(in sentence: String) -> [String] {
        var text = sentence
        while let last = text.last, ".!?".contains(last) { text.removeLast() }
        if let colon = text.firstIndex(of: ":") { text = String(text[text.index(after: colon)...]) }
        for joint in [" and ", " und ", " sowie ", " as well as ", " or ", " oder ", " & ", ";"] {
            text = text.replacing(joint, with: ",")
        }
        let parts = text.split(separator: ",").map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
        guard parts.count >= 2 else { return [] }
        var offers: [String] = []
        for (index, words) in parts.enumerated() {
            var words = words[...]
            // What follows the last verb of the first part, and a verb that opens another one.
            let opening = words.prefix(2).map { $0.lowercased() }
            if index == 0, [["there", "are"], ["there", "is"], ["es", "gibt"]].contains(opening) {
                words = words.dropFirst(2)
            } else if index == 0, let verb = words.lastIndex(where: { verbs.contains($0.lowercased()) }) {
                words = words[(verb + 1)...]
            } else if index > 0, let first = words.first, verbs.contains(first.lowercased()) {
                words = words.dropFirst()
            }
            while let first = words.first, articles.contains(first.lowercased()) { words = words.dropFirst() }
            guard (1...5).contains(words.count), !circumstances.contains(words.first?.lowercased() ?? ""),
                !words.contains(where: { stops.contains($0.lowercased()) }),
                words.joined().contains(where: \.isLetter), words.joined(separator: " ").count <= 48
            else { continue }
            let offer = TextFit.capitalised(words.joined(separator: " "))
            if !offers.contains(offer) { offers.append(offer) }
        }
        return offers
    }

    // MARK: Ways to get in touch

    private static func contact(in text: String) -> Contact {
        var contact = Contact()
        for word in text.split(whereSeparator: { $0.isWhitespace || ",;()<>".contains($0) }) where contact.mail == nil {
            var candidate = word
            while let last = candidate.last, ".!?:".contains(last) { candidate = candidate.dropLast() }
            contact.mail = (try? EmailAddress(String(candidate)))?.text
        }
        contact.phone = phone(in: text)
        return contact
    }

    /// The first run of at least seven digits with blanks, hyphens, slashes or parentheses between them that begins with
    /// `+`, `0` or `(`.
    private static func phone(in text: String) -> String? {
        var run = ""
        func accepted() -> String? {
            var found = run
            while let last = found.last, !last.isNumber { found.removeLast() }
            let digits = found.filter(\.isNumber).count
            return (7...16).contains(digits) ? found : nil
        }
        for character in text + "\n" {
            let isDigit = character.isASCII && character.isNumber
            if isDigit || (run.isEmpty ? "+(".contains(character) : " -/()".contains(character)) {
                if run.isEmpty, isDigit, character != "0" {
                    // A year or a house number.
                    run = "x"
                } else {
                    run.append(character)
                }
            } else {
                if !run.hasPrefix("x"), let found = accepted() { return found }
                run = ""
            }
        }
        return nil
    }

    /// For `tel:`.
    static func dialled(_ phone: String) -> String {
        phone.filter { ($0.isASCII && $0.isNumber) || $0 == "+" }
    }
}
