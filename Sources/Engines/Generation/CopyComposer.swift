import Domain

/// Writes the words of one page by fixed rules: what the brief says, where it belongs, and neutral sentences around it.
struct CopyComposer {
    private let input: CopyInput
    private let reading: BriefReading
    private let words: Lexicon

    init(_ input: CopyInput) {
        self.input = input
        reading = BriefReading(input.brief)
        words = Lexicon.of(input.language)
    }

    private var brief: SiteBrief { input.brief }
    private var name: String { brief.businessName }
    private var kind: BusinessKind { input.kind }
    private var role: PlannedPage.Role { input.page.role }
    /// In other languages than the first, pages are called by their role.
    private var isFirstLanguage: Bool { input.language == brief.languages.first }

    var copy: PageCopy {
        let known = words.pages(role, kind, name)
        let label = label(of: input.page)
        switch role {
        case .home: return home
        case .offer, .work, .programme: return offer(label, known)
        case .about: return about(label, known)
        case .visit, .join: return preparation(label, known)
        case .contact: return contact(label, known)
        case .questions: return questions(label, known)
        case .other: return other(label)
        }
    }

    private func label(of page: PlannedPage) -> String {
        let known = words.pages(page.role, kind, name).title
        return isFirstLanguage || known.isEmpty ? page.title : known
    }

    private func page(
        _ label: String, eyebrow: String = "", heading: String, lead: String, actions: [PageCopy.Action] = [],
        blocks: [PageCopy.Block]
    ) -> PageCopy {
        let about = lead.isEmpty ? reading.sentences.first ?? name : lead
        return PageCopy(
            seoTitle: role == .home ? homeTitle : TextFit.title(label, name),
            seoDescription: TextFit.description(
                about.count < 50 && role != .home ? about + " " + (reading.sentences.first ?? "") : about),
            label: label, eyebrow: TextFit.cut(eyebrow, to: 80), heading: TextFit.cut(heading, to: 120),
            lead: TextFit.cut(lead, to: 600), actions: actions, blocks: blocks)
    }

    private var homeTitle: String {
        let type = TextFit.capitalised(brief.type)
        return name.lowercased().contains(brief.type.lowercased())
            ? TextFit.cut(name, to: 60) : TextFit.title(name, type)
    }

    // MARK: Pages

    private var home: PageCopy {
        var rest = reading.sentences[...]
        var heading = name
        // A short first sentence says more than the name, which stands above it anyway.
        if let first = rest.first, first.count <= 72, rest.count > 1 {
            heading = TextFit.withoutFullStop(first)
            rest = rest.dropFirst()
        }
        let lead = rest.popFirst() ?? ""
        var actions = [action(for: wish)]
        if let offer = first(.offer, .work, .programme), offer.name != actions[0].target {
            actions.append(.init(label(of: offer), to: offer.name))
        } else if let about = first(.about), about.name != actions[0].target {
            actions.append(.init(label(of: about), to: about.name))
        }
        var blocks: [PageCopy.Block] = []
        if !reading.offers.isEmpty {
            blocks.append(
                .init(
                    .list, heading: words.offersHeading(kind), items: reading.offers.prefix(5).map { .init($0) },
                    action: first(.offer, .work, .programme).map { .init(words.more, to: $0.name) }))
        }
        if !rest.isEmpty {
            blocks.append(
                .init(
                    .text, heading: words.aboutHeading, paragraphs: paragraphs(of: Array(rest.prefix(6))),
                    action: first(.about).map {
                        .init(TextFit.cut(words.pages(.about, kind, name).heading, to: 60), to: $0.name)
                    }))
        }
        let others = input.pages.filter { $0.role != .home }
        if !others.isEmpty {
            blocks.append(
                .init(
                    .cards, heading: words.aroundHeading,
                    items: others.prefix(6).map { page in
                        let teaser = words.pages(page.role, kind, name).teaser
                        return .init(
                            label(of: page), page.role == .other && isFirstLanguage ? page.purpose : teaser,
                            target: page.name)
                    }))
        }
        blocks += band
        return page(
            isFirstLanguage ? input.page.title : words.homeTitle, eyebrow: TextFit.capitalised(brief.type),
            heading: heading, lead: lead, actions: actions, blocks: blocks)
    }

    private func offer(_ label: String, _ known: Lexicon.Page) -> PageCopy {
        let listing = reading.sentences.first { sentence in
            reading.offers.first.map { sentence.lowercased().contains($0.lowercased()) } ?? false
        }
        var blocks: [PageCopy.Block] = []
        if reading.offers.isEmpty {
            blocks.append(.init(.text, heading: words.aboutHeading, paragraphs: paragraphs(of: reading.sentences)))
        } else {
            blocks.append(
                .init(.list, heading: words.offersHeading(kind), items: reading.offers.map { .init($0) }))
        }
        return page(
            label, eyebrow: name, heading: known.heading, lead: listing ?? reading.sentences.first ?? "",
            blocks: blocks + band)
    }

    private func about(_ label: String, _ known: Lexicon.Page) -> PageCopy {
        let rest = Array(reading.sentences.dropFirst())
        var facts: [PageCopy.Item] = [.init(words.factWhat, TextFit.capitalised(brief.type))]
        if let audience = brief.audience, isFirstLanguage {
            facts.append(.init(words.factWhom, TextFit.capitalised(TextFit.withoutFullStop(audience))))
        }
        var blocks: [PageCopy.Block] = []
        if !rest.isEmpty {
            blocks.append(.init(.text, heading: words.aboutHeading, paragraphs: paragraphs(of: rest)))
        }
        blocks.append(.init(.facts, heading: words.factsHeading, items: facts + ways))
        return page(
            label, eyebrow: TextFit.capitalised(brief.type), heading: known.heading,
            lead: reading.sentences.first ?? "",
            blocks: blocks + band)
    }

    private func preparation(_ label: String, _ known: Lexicon.Page) -> PageCopy {
        let steps = words.preparation(role, kind)
        var blocks: [PageCopy.Block] = [.init(.steps, heading: steps.heading, items: steps.steps)]
        if !ways.isEmpty { blocks.append(.init(.facts, heading: words.factsHeading, items: ways)) }
        return page(label, eyebrow: name, heading: known.heading, lead: known.lead, blocks: blocks + band)
    }

    private func contact(_ label: String, _ known: Lexicon.Page) -> PageCopy {
        let steps = words.preparation(.contact, kind)
        var blocks: [PageCopy.Block] = []
        if !ways.isEmpty { blocks.append(.init(.facts, heading: words.factsHeading, items: ways)) }
        blocks.append(.init(.steps, heading: steps.heading, items: steps.steps))
        return page(label, eyebrow: name, heading: known.heading, lead: known.lead, blocks: blocks)
    }

    private func questions(_ label: String, _ known: Lexicon.Page) -> PageCopy {
        var answers: [PageCopy.Item] = []
        if let first = reading.sentences.first { answers.append(.init(words.questions.what, first)) }
        if let audience = brief.audience, isFirstLanguage {
            answers.append(.init(words.questions.whom, TextFit.capitalised(audience)))
        }
        answers.append(
            .init(words.questions.how, words.questions.howAnswer, target: first(.contact)?.name ?? ""))
        return page(
            label, eyebrow: name, heading: known.heading, lead: known.teaser,
            blocks: [.init(.cards, heading: words.factsHeading, items: answers)] + band)
    }

    /// A page that its owner thought of: its name, its purpose, and what the brief says with these words in it.
    private func other(_ label: String) -> PageCopy {
        let stems = label.lowercased().split { !$0.isLetter }.filter { $0.count > 3 }.map { $0.prefix(6) }
        let fitting = reading.sentences.filter { sentence in
            let sentence = sentence.lowercased()
            return stems.contains { sentence.contains($0) }
        }
        let shown = fitting.isEmpty ? reading.sentences : fitting
        return page(
            label, eyebrow: name, heading: label, lead: isFirstLanguage ? input.page.purpose : "",
            blocks: [.init(.text, heading: words.aboutHeading, paragraphs: paragraphs(of: shown))] + band)
    }

    // MARK: Parts

    /// What the brief says about reaching the business.
    private var ways: [PageCopy.Item] {
        var ways: [PageCopy.Item] = []
        if let mail = reading.contact.mail { ways.append(.init(words.factMail, mail, target: "mailto:\(mail)")) }
        if let phone = reading.contact.phone {
            ways.append(.init(words.factPhone, phone, target: "tel:\(BriefReading.dialled(phone))"))
        }
        return ways
    }

    /// The next thing to do, unless this is the page to do it on.
    private var band: [PageCopy.Block] {
        let wishes = [wish, .contact, .see, .learn]
        for wish in wishes {
            let action = action(for: wish)
            guard action.target != input.page.name, let text = words.wishes[wish] else { continue }
            return [.init(.band, heading: text.heading, paragraphs: [text.text], action: action)]
        }
        return []
    }

    private var wish: Lexicon.Wish { Lexicon.Wish(in: brief.goals, kind: kind) }

    private func action(for wish: Lexicon.Wish) -> PageCopy.Action {
        let roles: [PlannedPage.Role] =
            switch wish {
            case .book, .appointment, .contact: [.contact, .visit]
            case .visit: [.visit, .contact]
            case .join: [.join, .contact]
            case .see: [.work, .programme, .offer]
            case .buy: [.offer]
            case .learn: [.about, .offer]
            }
        let target = roles.lazy.compactMap { first($0) }.first ?? input.pages.last ?? input.page
        return .init(words.wishes[wish]?.button ?? label(of: target), to: target.name)
    }

    private func first(_ roles: PlannedPage.Role...) -> PlannedPage? {
        roles.lazy.compactMap { role in input.pages.first { $0.role == role } }.first
    }

    /// Two sentences each, so that nobody meets a wall of text.
    private func paragraphs(of sentences: [String]) -> [String] {
        stride(from: 0, to: sentences.count, by: 2).map { start in
            sentences[start..<min(start + 2, sentences.count)].joined(separator: " ")
        }.prefix(24).map { String($0.prefix(3900)) }
    }
}

extension Lexicon.Wish {
    /// The first goal that says one; otherwise what is usual.
    init(in goals: [String], kind: BusinessKind) {
        for goal in goals {
            let text = goal.lowercased()
            func has(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
            if has("appointment", "termin", "consultation") { self = .appointment; return }
            if has("book", "reserv", "table", "tisch") {
                self = [.practice, .craft, .business].contains(kind) ? .appointment : .book
                return
            }
            if has("join", "member", "mitglied", "mitmach", "volunteer") { self = .join; return }
            if has("visit", "come by", "footfall", "besuch", "vorbeikommen", "find us", "guests") {
                self = .visit; return
            }
            if has("portfolio", "show", "zeigen", "gallery", "see our") { self = .see; return }
            if has("sell", "sale", "verkauf", "order", "bestell", "range", "products") { self = .buy; return }
            if has("contact", "call", "enquir", "inquir", "anfrag", "kontakt", "anruf", "quote", "e-mail", "email") {
                self = .contact
                return
            }
            if has("learn", "inform", "know", "erfahren", "explain") { self = .learn; return }
        }
        self =
            switch kind {
            case .restaurant, .event: .visit
            case .shop: .buy
            case .club: .join
            case .portfolio: .see
            case .craft, .practice, .business: .contact
            }
    }
}
