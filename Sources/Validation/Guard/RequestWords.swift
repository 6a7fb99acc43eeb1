package import Domain

/// What a request asks for, as far as plain rules over its words can say: what is to go, and which files it names.
///
/// A clause with a word such as "remove" or "replace" asks for the loss of what it names: by its kind ("the images"), by
/// its words ("the section News"), or both. Without such a clause nothing may go.
package struct RequestWords: Sendable {
    /// What may be lost.
    package enum Thing: String, Sendable, CaseIterable {
        case page, section, heading, text, link, image, form, script, frame
    }

    private struct Clause: Sendable {
        /// All words, what is quoted included: names of things are among them.
        let set: Set<String>
        let words: [String]
        /// The words outside quotation marks: what is to be done.
        let plain: [String]
        let removes: Bool
        let rewrites: Bool
        /// What the word for removing is about: the words behind it, up to the first "from", "to", "of" and the like.
        let target: Set<String>
        /// The plain words with single blanks between them and at the ends.
        let phrase: String

        /// Whether what is to go can be of a kind: it is called so, or is called nothing else.
        func isAbout(_ ownNouns: Set<String>, not otherNouns: Set<String>) -> Bool {
            !target.isDisjoint(with: ownNouns) || target.isDisjoint(with: otherNouns)
        }
    }

    private let clauses: [Clause]
    /// Everything may go.
    package let startsOver: Bool
    private let all: Set<String>
    private let lowered: String

    private static let removals: Set<String> = [
        // English
        "remove", "removes", "removing", "delete", "deletes", "deleting", "erase", "eliminate", "strip",
        "cut", "discard", "hide", "unlink", "replace", "replacing", "swap", "exchange", "substitute", "scrap", "kill",
        "omit", "undo", "revert", "merge", "combine", "convert", "rename",
        // German
        "entferne", "entfernen", "lösche", "löschen", "streiche", "streichen", "ersetze", "ersetzen", "austauschen",
        "tausche", "raus", "weg", "verstecke", "zusammenlegen",
        // French, Spanish, Italian, Portuguese, Dutch
        "supprime", "supprimer", "supprimez", "enlève", "enlever", "enlevez", "retire", "retirer", "efface", "effacer",
        "remplace", "remplacer", "remplacez", "elimina", "eliminar", "borra", "borrar", "quita", "quitar", "reemplaza",
        "sustituye", "rimuovi", "rimuovere", "cancella", "cancellare", "togli", "sostituisci", "remova", "remover",
        "apague", "apagar", "substitua", "verwijder", "verwijderen", "vervang", "wis", "weghalen",
    ]
    private static let removalPhrases = [
        "drop the", "drop our", "drop all", "clear the", "get rid of", "take out", "take away", "take down",
        "leave out", "no longer", "without the", "should go",
        "instead of",
    ].map(phrase)
    /// Negations that ask for removal.
    private static let unwanted = [
        "do not want", "don't want", "do not need", "don't need", "no longer want", "no longer need", "nicht mehr",
    ].map(phrase)
    private static let rewrites: Set<String> = [
        "shorten", "shorter", "condense", "simplify", "trim", "summarise", "summarize", "rewrite", "rephrase", "reword",
        "tighten", "compress", "translate", "kürze", "kürzen", "kürzer", "vereinfache", "übersetze", "umschreiben",
        "raccourcis", "réécris", "traduis", "acorta", "reescribe", "traduce", "accorcia", "riscrivi", "traduci",
    ]
    private static let startingOver = [
        "start over", "start from scratch", "from scratch", "remove everything", "delete everything",
        "replace everything",
        "remove all content", "delete all content", "replace the whole page", "replace the whole site",
        "replace the entire page", "replace the entire site", "replace the page with", "lösche alles", "alles löschen",
        "ersetze alles", "fang von vorne an", "neu anfangen",
    ].map(phrase)
    private static let negations = [
        "do not", "don't", "dont", "never", "without removing", "without deleting", "without losing", "not to",
        "must not",
        "shouldn't", "should not", "nicht", "ne pas", "sans", "no quites", "niet",
    ].map(phrase)

    /// The nouns of each kind; the plural says that more than one may go.
    private static let nouns: [Thing: (one: Set<String>, many: Set<String>)] = [
        .page: (
            ["page", "seite", "pagina", "página", "subpage"], ["pages", "seiten", "pagine", "páginas", "subpages"]
        ),
        .section: (
            [
                "section", "part", "block", "area", "column", "card", "banner", "hero", "footer", "header", "sidebar",
                "table", "list", "box", "abschnitt", "bereich", "sección", "sezione", "seção", "sectie", "teil", "faq",
            ],
            [
                "sections", "parts", "blocks", "areas", "columns", "cards", "banners", "boxes", "tables", "lists",
                "abschnitte",
            ]
        ),
        .heading: (
            [
                "heading", "headline", "title", "subheading", "subtitle", "überschrift", "titre", "título", "titolo",
                "kop",
            ],
            ["headings", "headlines", "titles", "subheadings", "subtitles", "überschriften", "titres", "títulos"]
        ),
        .text: (
            [
                "text", "paragraph", "sentence", "content", "copy", "quote", "testimonial", "description", "intro",
                "introduction", "story", "absatz", "satz", "inhalt", "paragraphe", "párrafo", "paragrafo", "texte",
                "tekst",
            ],
            ["texts", "paragraphs", "sentences", "quotes", "testimonials", "descriptions", "texte", "absätze", "sätze"]
        ),
        .link: (
            ["link", "button", "entry", "item", "anchor", "verweis", "knopf", "lien", "enlace", "knop", "cta"],
            [
                "links", "buttons", "menu", "nav", "navigation", "entries", "items", "anchors", "verweise", "knöpfe",
                "menü", "liens", "enlaces", "socials", "icons",
            ]
        ),
        .image: (
            [
                "image", "picture", "photo", "photograph", "logo", "icon", "illustration", "bild", "foto", "imagen",
                "immagine", "imagem", "afbeelding", "graphic",
            ],
            [
                "images", "pictures", "photos", "logos", "icons", "illustrations", "gallery", "slideshow", "carousel",
                "bilder", "fotos", "galerie", "imágenes", "immagini", "graphics",
            ]
        ),
        .form: (
            ["form", "formular", "formulaire", "formulario", "modulo", "formulier", "newsletter", "search", "field"],
            ["forms", "formulare", "fields"]
        ),
        .script: (
            ["script", "javascript", "js", "tracker", "widget", "chat", "slider", "counter", "skript", "popup"],
            ["scripts", "tracking", "analytics", "trackers", "widgets", "skripte", "cookies", "popups"]
        ),
        .frame: (
            ["video", "map", "embed", "iframe", "frame", "player", "karte", "carte", "mapa", "film"],
            ["videos", "maps", "embeds", "iframes", "karten"]
        ),
    ]

    /// Nouns of what pages load.
    private static let mediaNouns: Set<String> = {
        let kinds: [Thing] = [.image, .script, .frame]
        return kinds.reduce(into: ["background", "media"]) { all, kind in
            guard let words = nouns[kind] else { return }
            all.formUnion(words.one.union(words.many))
        }
    }()

    /// Words that say that all of a kind may go.
    private static let totals: Set<String> = [
        "all", "every", "any", "both", "each", "alle", "sämtliche", "tous", "toutes", "todos", "todas", "tutti",
        "tutte",
    ]

    package init(_ text: String) {
        lowered = text.lowercased().replacing("’", with: "'")
        clauses = Self.split(lowered).map(Self.clause)
        all = Set(clauses.flatMap(\.words))
        startsOver = clauses.contains { clause in
            Self.startingOver.contains { clause.phrase.contains($0) } && !clause.phrase.contains(" not ")
        }
    }

    private static func clause(_ text: String) -> Clause {
        let words = WordSet.list(of: text)
        let plainText = withoutQuotes(text)
        let plain = WordSet.list(of: plainText)
        let phrase = phrase(plainText)
        let isUnwanted = unwanted.contains { phrase.contains($0) }
        let isNegated = !isUnwanted && negations.contains { phrase.contains($0) }
        let verb = plain.firstIndex(where: removals.contains)
        let removes =
            isUnwanted || !isNegated && (verb != nil || removalPhrases.contains { phrase.contains($0) })
        let start = words.firstIndex(where: removals.contains).map { $0 + 1 } ?? 0
        let target = verb == nil ? words[...] : words[start...].prefix { !prepositions.contains($0) }
        return Clause(
            set: Set(words), words: words, plain: plain, removes: removes,
            rewrites: !isNegated && plain.contains(where: rewrites.contains), target: Set(target), phrase: phrase)
    }

    private static let prepositions: Set<String> = [
        "from", "to", "on", "in", "of", "at", "under", "below", "above", "within", "inside", "into", "with", "by",
        "for",
        "auf", "von", "aus", "zu", "zur", "zum", "im", "mit", "durch", "vom", "de", "del", "da", "dal", "sur", "dans",
        "en",
        "par", "con", "por", "van", "uit", "op", "door",
    ]

    private static let pageNouns: Set<String> = {
        let pages = nouns[.page] ?? ([], [])
        return pages.one.union(pages.many).union(["html", "htm"])
    }()

    private static let sectionNouns: Set<String> = {
        let sections = nouns[.section] ?? ([], [])
        return sections.one.union(sections.many)
    }()

    /// Nouns of what is within sections.
    private static let smallNouns = otherNouns.subtracting(sectionNouns)

    /// Nouns of all kinds of things but pages.
    private static let otherNouns: Set<String> = nouns.reduce(into: []) { all, entry in
        if entry.key != .page { all.formUnion(entry.value.one.union(entry.value.many)) }
    }

    /// Lower case, without apostrophes and signs, with single blanks between the words and at the ends.
    private static func phrase(_ text: String) -> String {
        " \(WordSet.list(of: text.replacing("'", with: "")).joined(separator: " ")) "
    }

    private static func withoutQuotes(_ text: String) -> String {
        var plain = ""
        var end: Character?
        for character in text {
            if let closing = end {
                if character == closing || closing == "“" && character == "”" { end = nil }
                continue
            }
            switch character {
            case "\"": end = "\""
            case "“": end = "”"
            case "„": end = "“"
            case "«": end = "»"
            default: plain.append(character)
            }
        }
        // A quotation that never ends is none.
        return end == nil ? plain : text
    }

    /// At the ends of sentences and lines, and at semicolons; dots within names of files and numbers are none.
    private static func split(_ text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            let next = index + 1 < characters.count ? characters[index + 1] : " "
            let isEnd =
                character.isNewline || character == ";"
                || ".!?".contains(character) && (next.isWhitespace || next == "\"" || next == "'")
            if isEnd {
                pieces.append(piece)
                piece = ""
            } else {
                piece.append(character)
            }
        }
        pieces.append(piece)
        // "… but keep the map": what follows is a clause of its own.
        return pieces.flatMap { piece -> [String] in
            var rest = piece[...]
            var parts: [String] = []
            while let cut = [" but ", ", keep ", " and keep ", " aber ", " then ", ", don't ", ", do not "].compactMap({
                rest.firstRange(of: $0)
            }).min(by: { $0.lowerBound < $1.lowerBound }) {
                parts.append(String(rest[..<cut.lowerBound]))
                rest = rest[rest.index(after: cut.lowerBound)...]
            }
            return parts + [String(rest)]
        }.filter { $0.contains { $0.isLetter || $0.isNumber } }
    }

    // MARK: What may go

    /// Whether a clause asks for this thing by its words: it has most of those that tell it apart. A page goes only when the
    /// clause is about a page, or about no kind of thing: not with the link to it. So do sections: not with their heading.
    package func asksToLose(_ thing: Thing, named names: [String]) -> Bool {
        if startsOver { return true }
        let wanted = names.map { Self.telling($0) }.filter { !$0.isEmpty }
        return clauses.contains { clause in
            guard clause.removes else { return false }
            switch thing {
            case .page where !clause.isAbout(Self.pageNouns, not: Self.otherNouns): return false
            case .section where !clause.isAbout(Self.sectionNouns, not: Self.smallNouns): return false
            default: break
            }
            let said = thing == .page ? clause.target : clause.set
            return wanted.contains { words in
                let hits = words.count { word in said.contains(word) || said.contains(word + "s") }
                return hits == words.count || words.count >= 3 && hits * 3 >= words.count * 2
            }
        }
    }

    /// How many things of a kind may go without being named: all, one, or none.
    package func allowance(of thing: Thing) -> Int {
        if startsOver { return .max }
        guard let nouns = Self.nouns[thing] else { return 0 }
        var allowance = 0
        for clause in clauses where clause.removes {
            let words = thing == .page ? clause.plain.filter(clause.target.contains) : clause.plain
            let plain = Set(words)
            if !plain.isDisjoint(with: nouns.many)
                || !plain.isDisjoint(with: nouns.one) && !plain.isDisjoint(with: Self.totals)
            {
                return .max
            }
            allowance += words.count(where: nouns.one.contains)
        }
        return allowance
    }

    /// Whether texts may become shorter.
    package var allowsShortening: Bool { startsOver || clauses.contains(where: \.rewrites) }

    /// Whether it is about what pages load: pictures, scripts, embedded things.
    package var speaksOfMedia: Bool {
        startsOver || clauses.contains { !Self.mediaNouns.isDisjoint(with: $0.plain) }
    }

    /// Whether it says that something goes, whatever it is.
    package var removesAnything: Bool { startsOver || clauses.contains(where: \.removes) }

    /// Whether the request has these words, such as those of a host.
    package func mentions(_ text: String) -> Bool {
        let wanted = text.lowercased()
        return !wanted.isEmpty && lowered.contains(wanted)
    }

    package func hasWord(_ word: String) -> Bool { all.contains(word.lowercased()) }

    /// The words of a name that are worth looking for.
    private static func telling(_ name: String) -> [String] {
        var seen: Set<String> = []
        return WordSet.list(of: name).filter { word in
            word.count >= 2 && !commonWords.contains(word) && seen.insert(word).inserted
        }
    }

    private static let commonWords: Set<String> = [
        "the", "and", "for", "our", "your", "with", "from", "html", "htm", "index", "www", "com", "https", "http", "to",
        "of", "in", "on", "at", "is", "it", "we", "us", "png", "jpg", "jpeg", "svg", "webp", "gif", "css", "js", "der",
        "die", "das", "und", "ein", "eine", "zu", "im",
    ]

    // MARK: Which files it names

    /// The files that the request names, of those there are: by their path or file name, or as "the … page". Empty when it
    /// names none, and then the whole site is meant.
    package func namedFiles(among paths: [SitePath]) -> Set<SitePath> {
        var named: Set<SitePath> = []
        let mentioned = Set(
            lowered.split { $0.isWhitespace || "\"'`,;:()[]<>“”„«»".contains($0) }
                .map { $0.trimmingSuffix(while: { ".!?".contains($0) }) }.map(String.init))
        for path in paths {
            let text = path.text.lowercased()
            if mentioned.contains(text) || mentioned.contains("/" + text)
                || path.fileExtension != "" && mentioned.contains(path.name.lowercased())
            {
                named.insert(path)
            }
        }
        for clause in clauses {
            for (index, word) in clause.words.enumerated() where Self.isPageNoun(word) && index > 0 {
                for path in paths where path.isHTML && Self.isNamed(path, before: index, in: clause.words) {
                    named.insert(path)
                }
            }
            for home in ["homepage", "startseite", "frontpage"] where clause.set.contains(home) {
                named.formUnion(paths.filter { $0.text == "index.html" })
            }
        }
        return named
    }

    private static func isPageNoun(_ word: String) -> Bool { ["page", "seite", "pages"].contains(word) }

    /// "the about page", "the opening hours page", "the home page", "the about us page".
    private static func isNamed(_ path: SitePath, before index: Int, in words: [String]) -> Bool {
        if path.text == "index.html" {
            return ["home", "front", "start", "main", "landing"].contains(words[index - 1])
        }
        let name =
            path.name.lowercased() == "index.html" ? path.components.dropLast().last.map(String.init) ?? "" : path.name
        let stem = WordSet.list(of: name.prefix { $0 != "." })
        guard !stem.isEmpty, index >= stem.count else { return false }
        return Array(words[index - stem.count..<index]) == stem
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, predicate(last) { rest.removeLast() }
        return rest
    }
}
