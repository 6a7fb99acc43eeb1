/// What sort of business a site is for; decides which pages a plan proposes.
package enum BusinessKind: String, Sendable, Hashable, CaseIterable, Codable {
    case restaurant, craft, portfolio, practice, club, shop, event
    /// Whatever is none of the others.
    case business

    /// Reads it from the words of a brief, in English or German: first from what the type says, then from the rest.
    package init(in brief: SiteBrief) {
        self = Self.named(in: brief.type) ?? Self.named(in: brief.description) ?? .business
    }

    private static func named(in text: String) -> BusinessKind? {
        let words = text.lowercased().split { !$0.isLetter }.map(String.init)
        var best: (kind: BusinessKind, count: Int)?
        for kind in allCases {
            let stems = kind.stems
            let count = words.count { word in stems.contains { stem in Self.matches(word, stem) } }
            if count > best?.count ?? 0 { best = (kind, count) }
        }
        return best?.kind
    }

    /// Whole words; `stem*` also as a beginning, `*stem` also as an end (German puts the thing last: Weinbar).
    private static func matches(_ word: String, _ stem: String) -> Bool {
        if stem.hasPrefix("*"), stem.hasSuffix("*") { return word.contains(stem.dropFirst().dropLast()) }
        if stem.hasSuffix("*") { return word.hasPrefix(stem.dropLast()) }
        if stem.hasPrefix("*") { return word.hasSuffix(stem.dropFirst()) }
        return word == stem || word == stem + "s"
    }

    private var stems: [String] {
        switch self {
        case .restaurant:
            [
                "*restaurant", "*café", "*cafe", "*bistro", "bar", "*weinbar", "pub", "*baker*", "bakery", "*bäckerei",
                "baeckerei", "*konditorei", "pizzeria", "trattoria", "*gasthaus", "*gasthof", "*wirtschaft", "diner",
                "eatery", "brewery", "*brauerei", "catering", "*imbiss", "patisserie", "*eisdiele", "roastery",
                "*rösterei", "food", "kitchen", "*küche",
            ]
        case .craft:
            [
                "carpent*", "joiner*", "plumb*", "electric*", "paint*", "roof*", "builder", "mason", "gardener",
                "garden", "landscap*", "*garten*", "locksmith", "craft*", "workshop", "*handwerk*", "tischler*",
                "schreiner*", "*werkstatt", "maler", "malerbetrieb", "*elektrik*", "elektro*", "installat*",
                "klempner*",
                "*dachdecker*", "*bau", "*zimmerei", "upholster*", "tailor", "*schneiderei", "mechanic", "garage",
                "repair", "*reparatur", "pottery", "*töpferei", "cobbler", "blacksmith",
            ]
        case .portfolio:
            [
                "photograph*", "*fotograf*", "designer", "illustrat*", "artist", "*künstler*", "portfolio", "writer",
                "author", "*autor*", "musician", "*musiker*", "architect", "*architekt*", "filmmaker", "sculptor",
                "stylist", "freelanc*", "developer", "copywriter", "painter", "studio", "composer", "dancer",
            ]
        case .practice:
            [
                "practice", "doctor", "dentist", "physio*", "*praxis", "*arzt*", "*ärzt*", "therap*", "*therapie",
                "psycholog*", "osteopath*", "massage", "clinic", "*klinik", "midwife", "*hebamme*", "vet", "veterinar*",
                "*tierarzt*", "lawyer", "attorney", "*anwalt*", "*kanzlei", "notary", "*notar*", "coach", "coaching",
                "*yoga*", "hairdresser", "*friseur*", "salon", "barber", "beauty", "cosmetic*", "*kosmetik*",
                "counsel*",
                "consult*", "*beratung", "accountant", "*steuerberat*",
            ]
        case .club:
            [
                "club", "*verein", "association", "society", "choir", "*chor", "team", "league", "scout*", "community",
                "charity", "*initiative", "union", "orchestra", "*orchester", "church", "*gemeinde", "foundation",
                "*stiftung", "*feuerwehr", "ngo", "nonprofit", "sports",
            ]
        case .shop:
            [
                "shop", "store", "*laden", "*geschäft", "boutique", "bookshop", "bookstore", "*buchhandlung", "florist",
                "*blumen*", "market", "deli", "*handel", "gallery", "*galerie", "jewell*", "jewel*", "*juwelier*",
                "antiques", "retail*", "dealer", "*hofladen", "butcher", "*metzgerei", "pharmacy", "*apotheke",
                "optician",
                "*optiker*", "farm",
            ]
        case .event:
            [
                "event", "festival", "conference", "*konferenz", "*fest", "concert", "*konzert", "wedding",
                "*hochzeit*",
                "meetup", "fair", "*messe", "exhibition", "*ausstellung", "congress", "*kongress", "*tagung", "summit",
                "workshops", "race", "*lauf", "tournament", "*turnier", "theatre", "*theater",
            ]
        case .business: []
        }
    }
}
