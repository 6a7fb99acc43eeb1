import Domain

/// Answers the steps of a generation by fixed rules, without any AI: pages by the kind of business, words from the brief
/// and neutral sentences, looks from ``DesignCollection``. The same brief always gives the same site.
package struct StepComposer: StepModel {
    package let title = "built-in composer (fixed rules, no AI)"

    package init() {}

    package func answer(_ question: StepQuestion) async throws -> StepAnswer {
        let output =
            switch question.step {
            case .plan: try StepJSON.text(try plan(StepJSON.value(PlanInput.self, in: question.input)))
            case .copy: try StepJSON.text(CopyComposer(try StepJSON.value(CopyInput.self, in: question.input)).copy)
            case .design:
                try StepJSON.text(DesignCollection.design(for: StepJSON.value(DesignInput.self, in: question.input)))
            case .repair: try StepJSON.text(repaired(try StepJSON.value(RepairInput.self, in: question.input).copy))
            case .build, .checks: "{}"
            }
        return StepAnswer(output: output)
    }

    // MARK: Plan

    private func plan(_ input: PlanInput) throws -> Sitemap {
        let brief = input.brief
        let kind = BusinessKind(in: brief)
        let words = Lexicon.of(brief.languages[0])
        func page(_ role: PlannedPage.Role) -> PlannedPage {
            let page = words.pages(role, kind, brief.businessName)
            let name = role == .home ? PlannedPage.homeName : PlannedPage.name(for: page.title)
            return PlannedPage(name: name, title: page.title, purpose: page.purpose, role: role)
        }
        guard !brief.pages.isEmpty else { return try Sitemap(kind: kind, pages: Self.roles(of: kind).map(page)) }
        var pages = [page(.home)]
        var taken: Set<String> = [PlannedPage.homeName, "404"]
        var roles: Set<PlannedPage.Role> = [.home]
        for title in brief.pages {
            let guess = PlannedPage.Role(naming: title)
            if guess == .home { continue }
            let role = roles.contains(guess) ? .other : guess
            roles.insert(role)
            var name = PlannedPage.name(for: title)
            var number = 2
            while !taken.insert(name).inserted {
                name = String(PlannedPage.name(for: title).prefix(36)) + "-\(number)"
                number += 1
            }
            pages.append(
                PlannedPage(
                    name: name, title: title, purpose: words.pages(role, kind, brief.businessName).purpose, role: role))
        }
        return try Sitemap(kind: kind, pages: pages)
    }

    private static func roles(of kind: BusinessKind) -> [PlannedPage.Role] {
        switch kind {
        case .restaurant, .shop: [.home, .offer, .about, .visit, .contact]
        case .craft, .practice: [.home, .offer, .visit, .about, .contact]
        case .portfolio: [.home, .work, .offer, .about, .contact]
        case .club: [.home, .offer, .join, .about, .contact]
        case .event: [.home, .programme, .visit, .about, .contact]
        case .business: [.home, .offer, .questions, .about, .contact]
        }
    }

    // MARK: Repair

    /// What fixed rules can mend: texts that are too long.
    private func repaired(_ copy: PageCopy) -> PageCopy {
        PageCopy(
            seoTitle: TextFit.cut(copy.seoTitle, to: PageCopy.titleLimit),
            seoDescription: TextFit.description(copy.seoDescription), label: TextFit.cut(copy.label, to: 40),
            eyebrow: TextFit.cut(copy.eyebrow, to: 80), heading: TextFit.cut(copy.heading, to: 120),
            lead: TextFit.cut(copy.lead, to: 600), actions: copy.actions,
            blocks: copy.blocks.filter { !$0.paragraphs.isEmpty || !$0.items.isEmpty || $0.action != nil })
    }
}

extension PlannedPage.Role {
    /// What a page of this name is for, in English or German.
    init(naming title: String) {
        let words = title.lowercased()
        func has(_ parts: String...) -> Bool { parts.contains { words.contains($0) } }
        self =
            if ["home", "start", "startseite", "index"].contains(words) {
                .home
            } else if has("contact", "kontakt", "get in touch", "impressum") {
                .contact
            } else if has("about", "über", "team", "story", "geschichte", "wer wir") {
                .about
            } else if has("join", "member", "mitglied", "mitmachen") {
                .join
            } else if has("programme", "program", "schedule", "programm", "dates", "termine", "events", "veranstaltung")
            {
                .programme
            } else if has("faq", "question", "fragen") {
                .questions
            } else if has("visit", "besuch", "anfahrt", "directions", "find us", "travel") {
                .visit
            } else if has("work", "portfolio", "projects", "projekte", "referenzen", "arbeiten", "gallery", "galerie") {
                .work
            } else if has(
                "menu", "karte", "service", "leistung", "offer", "angebot", "products", "produkte", "sortiment",
                "range",
                "treatments", "behandlung", "activities", "shop", "prices", "preise", "courses", "kurse")
            {
                .offer
            } else {
                .other
            }
    }
}
