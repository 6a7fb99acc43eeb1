import Domain

/// The sentences that the built-in composer has in one language. None of them says anything about a business that is not
/// true of every one of its kind.
struct Lexicon: Sendable {
    /// What the owner wants visitors to do, read from the goals.
    enum Wish: String, CaseIterable {
        case book, appointment, contact, visit, join, see, buy, learn
    }

    struct Page: Sendable {
        let title: String
        /// For the owner, in the plan.
        let purpose: String
        /// For visitors, on the home page.
        let teaser: String
        let heading: String
        let lead: String
    }

    let languageName: String
    let skip: String
    let menuName: String
    let notFoundTitle: String
    let notFoundText: String
    let backHome: String
    let homeTitle: String
    let pages: @Sendable (PlannedPage.Role, BusinessKind, String) -> Page
    let wishes: [Wish: (button: String, heading: String, text: String)]
    let offersHeading: @Sendable (BusinessKind) -> String
    let aboutHeading: String
    let aroundHeading: String
    let factsHeading: String
    let factWhat: String
    let factWhom: String
    let factMail: String
    let factPhone: String
    let more: String
    let preparation: @Sendable (PlannedPage.Role, BusinessKind) -> (heading: String, steps: [PageCopy.Item])
    let questions: (what: String, whom: String, how: String, howAnswer: String)

    static func of(_ language: SiteLanguage) -> Lexicon {
        switch language {
        case .english: english
        case .german: german
        }
    }

    // MARK: English

    private static let english = Lexicon(
        languageName: "English", skip: "Skip to content", menuName: "Main", notFoundTitle: "Page not found",
        notFoundText: "There is nothing at this address, or not any more. Everything else is one step away.",
        backHome: "Back to the home page", homeTitle: "Home",
        pages: { role, kind, name in
            switch role {
            case .home:
                Page(
                    title: "Home", purpose: "Says in one look what this is and what to do next.", teaser: "",
                    heading: name, lead: "")
            case .offer:
                switch kind {
                case .restaurant:
                    Page(
                        title: "Menu", purpose: "What there is to eat and drink.",
                        teaser: "What there is to eat and drink.",
                        heading: "What we serve", lead: "")
                case .shop:
                    Page(
                        title: "Our range", purpose: "What the shop has.", teaser: "What you can find with us.",
                        heading: "What you can find with us", lead: "")
                case .club:
                    Page(
                        title: "Activities", purpose: "What members do together.", teaser: "What we do together.",
                        heading: "What we do together", lead: "")
                default:
                    Page(
                        title: "Services", purpose: "What customers can get.", teaser: "What we can do for you.",
                        heading: "What we can do for you", lead: "")
                }
            case .work:
                Page(
                    title: "Work", purpose: "What was made, with pictures once they are there.",
                    teaser: "What we make.",
                    heading: "Work", lead: "")
            case .programme:
                Page(
                    title: "Programme", purpose: "What happens, and when, once that is fixed.",
                    teaser: "What there is to see and do.",
                    heading: "Programme", lead: "")
            case .about:
                Page(
                    title: "About", purpose: "Who is behind it.", teaser: "Who is behind \(name).",
                    heading: "About \(name)",
                    lead: "")
            case .visit:
                switch kind {
                case .craft:
                    Page(
                        title: "Your project", purpose: "How a customer prepares an enquiry.",
                        teaser: "What helps before we begin.", heading: "Your project",
                        lead: "A good start needs little.")
                case .practice:
                    Page(
                        title: "Your first visit", purpose: "What to prepare for a first appointment.",
                        teaser: "What to think of before you come.", heading: "Your first visit",
                        lead: "A little preparation makes it easier.")
                default:
                    Page(
                        title: "Your visit", purpose: "What to know before coming.",
                        teaser: "What to think of before you come.", heading: "Your visit",
                        lead: "A little planning makes it a good day.")
                }
            case .join:
                Page(
                    title: "Join us", purpose: "How to become a member.", teaser: "How to become part of it.",
                    heading: "Join us", lead: "New faces are welcome.")
            case .questions:
                Page(
                    title: "Questions", purpose: "Short answers to what people ask first.",
                    teaser: "Short answers to first questions.",
                    heading: "Questions and answers", lead: "")
            case .contact:
                Page(
                    title: "Contact", purpose: "How to get in touch.", teaser: "How to get in touch.",
                    heading: "Get in touch",
                    lead: "We are glad to hear from you.")
            case .other: Page(title: "", purpose: "", teaser: "", heading: "", lead: "")
            }
        },
        wishes: [
            .book: (
                "Make a booking", "Shall we keep a place for you?",
                "Tell us when it suits you, and we will get back to you."
            ),
            .appointment: (
                "Make an appointment", "Shall we find a time?",
                "Tell us when it suits you, and we will get back to you."
            ),
            .contact: ("Get in touch", "Let us talk", "Tell us what you have in mind. We are glad to hear from you."),
            .visit: ("Plan your visit", "Come and see us", "Here is what to think of before you set off."),
            .join: ("Join us", "Become part of it", "The easiest way to find out is to come along."),
            .see: ("Have a look", "See for yourself", "Take your time and look around."),
            .buy: ("See what we have", "Looking for something?", "Have a look at what we have, or ask us."),
            .learn: ("Find out more", "Would you like to know more?", "Read on, or ask us directly."),
        ],
        offersHeading: { kind in
            switch kind {
            case .restaurant: "From our kitchen"
            case .shop: "What you can find with us"
            case .club: "What we do together"
            case .portfolio: "What I do"
            case .event: "What to look forward to"
            default: "What we do"
            }
        },
        aboutHeading: "A few words about us", aroundHeading: "Have a look around", factsHeading: "At a glance",
        factWhat: "What we are", factWhom: "Whom it is for", factMail: "E-mail", factPhone: "Telephone",
        more: "More about it",
        preparation: { role, kind in
            switch (role, kind) {
            case (.contact, _):
                (
                    "What helps us to answer",
                    [
                        .init("What it is about", "A sentence or two are enough for a start."),
                        .init("When it suits you", "A day or a time of day, or simply: no hurry."),
                        .init("How to reach you", "The way you would like us to get back to you."),
                    ]
                )
            case (.join, _):
                (
                    "Three steps",
                    [
                        .init("Come and look", "Meet the others and see whether you like it."),
                        .init("Ask", "Whatever you would like to know first."),
                        .init("Decide", "In your own time."),
                    ]
                )
            case (_, .restaurant):
                (
                    "Before you come",
                    [
                        .init("Pick a day", "And a second one, in case the first is taken."),
                        .init("Say how many you are", "Big tables need a little notice."),
                        .init("Tell us what you need", "Allergies, a high chair, a quiet corner."),
                    ]
                )
            case (_, .craft):
                (
                    "Before we begin",
                    [
                        .init("Describe it", "What is there now, and what you would like instead."),
                        .init("Measure it", "Rough figures are fine, and a photo says a lot."),
                        .init("Name your date", "By when it should be done, if there is one."),
                    ]
                )
            case (_, .practice):
                (
                    "Before you come",
                    [
                        .init("Think about your aim", "What should be different afterwards?"),
                        .init("Bring your papers", "What others have written about it before, if there is anything."),
                        .init("Write down questions", "So that none of them is forgotten."),
                    ]
                )
            default:
                (
                    "Before you come",
                    [
                        .init("Pick a day", "And leave some time to look around."),
                        .init("Plan the way", "On foot, by bike, by bus or by car."),
                        .init("Ask first", "If you come for something in particular."),
                    ]
                )
            }
        },
        questions: (
            "What is it?", "Whom is it for?", "How do I begin?",
            "Tell us in a few words what you have in mind. The page about contact says what helps us to answer."
        ))

    // MARK: German

    private static let german = Lexicon(
        languageName: "Deutsch", skip: "Zum Inhalt springen", menuName: "Hauptmenü",
        notFoundTitle: "Seite nicht gefunden",
        notFoundText: "Unter dieser Adresse ist nichts, oder nicht mehr. Alles andere ist nur einen Schritt entfernt.",
        backHome: "Zur Startseite", homeTitle: "Start",
        pages: { role, kind, name in
            switch role {
            case .home:
                Page(
                    title: "Start", purpose: "Sagt auf einen Blick, worum es geht und was als Nächstes zu tun ist.",
                    teaser: "", heading: name, lead: "")
            case .offer:
                switch kind {
                case .restaurant:
                    Page(
                        title: "Karte", purpose: "Was es zu essen und zu trinken gibt.",
                        teaser: "Was es zu essen und zu trinken gibt.", heading: "Was es bei uns gibt", lead: "")
                case .shop:
                    Page(
                        title: "Sortiment", purpose: "Was der Laden hat.", teaser: "Was Sie bei uns finden.",
                        heading: "Was Sie bei uns finden", lead: "")
                case .club:
                    Page(
                        title: "Angebote", purpose: "Was die Mitglieder gemeinsam tun.",
                        teaser: "Was wir gemeinsam tun.",
                        heading: "Was wir gemeinsam tun", lead: "")
                default:
                    Page(
                        title: "Leistungen", purpose: "Was Kundinnen und Kunden bekommen können.",
                        teaser: "Was wir für Sie tun können.", heading: "Was wir für Sie tun können", lead: "")
                }
            case .work:
                Page(
                    title: "Arbeiten", purpose: "Was entstanden ist, mit Bildern, sobald es welche gibt.",
                    teaser: "Was bei uns entsteht.", heading: "Arbeiten", lead: "")
            case .programme:
                Page(
                    title: "Programm", purpose: "Was wann geschieht, sobald es feststeht.",
                    teaser: "Was es zu sehen und zu erleben gibt.", heading: "Programm", lead: "")
            case .about:
                Page(
                    title: "Über uns", purpose: "Wer dahintersteht.", teaser: "Wer hinter \(name) steht.",
                    heading: "Über \(name)", lead: "")
            case .visit:
                switch kind {
                case .craft:
                    Page(
                        title: "Ihr Vorhaben", purpose: "Wie man eine Anfrage vorbereitet.",
                        teaser: "Was vor dem Anfang hilft.", heading: "Ihr Vorhaben",
                        lead: "Für einen guten Anfang braucht es wenig.")
                case .practice:
                    Page(
                        title: "Ihr erster Besuch", purpose: "Was vor dem ersten Termin zu bedenken ist.",
                        teaser: "Woran Sie vorher denken können.", heading: "Ihr erster Besuch",
                        lead: "Ein wenig Vorbereitung macht es leichter.")
                default:
                    Page(
                        title: "Ihr Besuch", purpose: "Was man vor dem Besuch wissen sollte.",
                        teaser: "Woran Sie vorher denken können.", heading: "Ihr Besuch",
                        lead: "Mit ein wenig Planung wird es ein guter Tag.")
                }
            case .join:
                Page(
                    title: "Mitmachen", purpose: "Wie man Mitglied wird.", teaser: "Wie man dazugehört.",
                    heading: "Mitmachen", lead: "Neue Gesichter sind willkommen.")
            case .questions:
                Page(
                    title: "Fragen", purpose: "Kurze Antworten auf die ersten Fragen.",
                    teaser: "Kurze Antworten auf die ersten Fragen.", heading: "Fragen und Antworten", lead: "")
            case .contact:
                Page(
                    title: "Kontakt", purpose: "Wie man sich meldet.", teaser: "Wie Sie uns erreichen.",
                    heading: "Melden Sie sich", lead: "Wir freuen uns, von Ihnen zu hören.")
            case .other: Page(title: "", purpose: "", teaser: "", heading: "", lead: "")
            }
        },
        wishes: [
            .book: (
                "Platz reservieren", "Sollen wir einen Platz für Sie freihalten?",
                "Sagen Sie uns, wann es Ihnen passt; wir melden uns bei Ihnen."
            ),
            .appointment: (
                "Termin vereinbaren", "Finden wir einen Termin?",
                "Sagen Sie uns, wann es Ihnen passt; wir melden uns bei Ihnen."
            ),
            .contact: (
                "Kontakt aufnehmen", "Sprechen wir darüber",
                "Sagen Sie uns, was Sie vorhaben. Wir freuen uns, von Ihnen zu hören."
            ),
            .visit: ("Besuch planen", "Kommen Sie vorbei", "Hier steht, woran Sie vorher denken können."),
            .join: ("Mitmachen", "Gehören Sie dazu", "Am einfachsten ist es, einmal vorbeizukommen."),
            .see: ("Ansehen", "Sehen Sie selbst", "Nehmen Sie sich Zeit und sehen Sie sich um."),
            .buy: ("Zum Sortiment", "Suchen Sie etwas?", "Sehen Sie nach, was wir haben, oder fragen Sie uns."),
            .learn: ("Mehr erfahren", "Möchten Sie mehr wissen?", "Lesen Sie weiter, oder fragen Sie uns direkt."),
        ],
        offersHeading: { kind in
            switch kind {
            case .restaurant: "Aus unserer Küche"
            case .shop: "Was Sie bei uns finden"
            case .club: "Was wir gemeinsam tun"
            case .portfolio: "Was ich mache"
            case .event: "Worauf Sie sich freuen können"
            default: "Was wir tun"
            }
        },
        aboutHeading: "Ein paar Worte über uns", aroundHeading: "Sehen Sie sich um", factsHeading: "Auf einen Blick",
        factWhat: "Was wir sind", factWhom: "Für wen", factMail: "E-Mail", factPhone: "Telefon", more: "Mehr dazu",
        preparation: { role, kind in
            switch (role, kind) {
            case (.contact, _):
                (
                    "Was uns beim Antworten hilft",
                    [
                        .init("Worum es geht", "Ein, zwei Sätze genügen für den Anfang."),
                        .init("Wann es Ihnen passt", "Ein Tag, eine Tageszeit, oder einfach: keine Eile."),
                        .init("Wie wir Sie erreichen", "So, wie es Ihnen am liebsten ist."),
                    ]
                )
            case (.join, _):
                (
                    "Drei Schritte",
                    [
                        .init("Vorbeikommen", "Die anderen kennenlernen und sehen, ob es gefällt."),
                        .init("Fragen", "Alles, was Sie vorher wissen möchten."),
                        .init("Entscheiden", "Wann Sie so weit sind."),
                    ]
                )
            case (_, .restaurant):
                (
                    "Bevor Sie kommen",
                    [
                        .init("Tag aussuchen", "Und einen zweiten, falls der erste vergeben ist."),
                        .init("Sagen, wie viele Sie sind", "Große Tische brauchen etwas Vorlauf."),
                        .init("Sagen, was Sie brauchen", "Unverträglichkeiten, ein Kinderstuhl, eine ruhige Ecke."),
                    ]
                )
            case (_, .craft):
                (
                    "Bevor wir anfangen",
                    [
                        .init("Beschreiben", "Was jetzt da ist, und was es werden soll."),
                        .init("Messen", "Ungefähre Maße genügen, und ein Foto sagt viel."),
                        .init("Datum nennen", "Bis wann es fertig sein soll, falls es eines gibt."),
                    ]
                )
            case (_, .practice):
                (
                    "Bevor Sie kommen",
                    [
                        .init("An das Ziel denken", "Was soll danach anders sein?"),
                        .init("Unterlagen mitbringen", "Was andere dazu schon geschrieben haben, falls es etwas gibt."),
                        .init("Fragen aufschreiben", "Damit keine vergessen wird."),
                    ]
                )
            default:
                (
                    "Bevor Sie kommen",
                    [
                        .init("Tag aussuchen", "Und etwas Zeit zum Umsehen lassen."),
                        .init("Weg planen", "Zu Fuß, mit dem Rad, dem Bus oder dem Auto."),
                        .init("Vorher fragen", "Wenn Sie wegen etwas Bestimmtem kommen."),
                    ]
                )
            }
        },
        questions: (
            "Worum geht es?", "Für wen ist es?", "Wie fange ich an?",
            "Sagen Sie uns in ein paar Worten, was Sie vorhaben. Auf der Seite zum Kontakt steht, was uns beim Antworten hilft."
        ))
}
