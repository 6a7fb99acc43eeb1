/// The plan of a site: which pages it has, in the order of its navigation. The first is the home page.
package struct Sitemap: Sendable, Equatable, Codable {
    package let kind: BusinessKind
    package let pages: [PlannedPage]

    package static let pageLimit = SiteBrief.maximumPages + 1

    /// - Throws: `invalidArgument` that names the page and the rule that the plan breaks.
    package init(kind: BusinessKind, pages: [PlannedPage]) throws(ServiceError) {
        guard (1...Self.pageLimit).contains(pages.count) else {
            throw ServiceError(
                .invalidArgument, "a plan has 1 to \(Self.pageLimit) pages", field: "pages", rule: "plan-pages")
        }
        guard pages[0].name == PlannedPage.homeName else {
            throw ServiceError(
                .invalidArgument, "the first page of a plan is the home page, named \"\(PlannedPage.homeName)\"",
                field: "pages[0].name", rule: "plan-home")
        }
        var names: Set<String> = []
        for (index, page) in pages.enumerated() {
            try page.check(at: "pages[\(index)]")
            guard names.insert(page.name).inserted else {
                throw ServiceError(
                    .invalidArgument, "two pages of the plan are named \"\(page.name)\"", field: "pages[\(index)].name",
                    rule: "plan-name-twice")
            }
        }
        self.kind = kind
        self.pages = pages
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            kind: try container.decode(BusinessKind.self, forKey: .kind),
            pages: try container.decode([PlannedPage].self, forKey: .pages))
    }

    private enum CodingKeys: String, CodingKey { case kind, pages }
}

/// One page of a plan.
package struct PlannedPage: Sendable, Equatable, Codable {
    /// What a page is for; a composer knows what belongs on it. `other` has only its title and purpose.
    package enum Role: String, Sendable, Hashable, CaseIterable, Codable {
        case home, offer, about, contact, work, visit, join, programme, questions, other
    }

    package static let homeName = "index"

    /// The name of its file without `.html`: 1 to 40 of `a-z 0-9 -`.
    package let name: String
    /// Its name in the navigation: 1 to 40 characters.
    package let title: String
    /// What it is for, in a sentence; at most 300 characters.
    package let purpose: String
    package let role: Role

    package init(name: String, title: String, purpose: String, role: Role) {
        self.name = name
        self.title = title
        self.purpose = purpose
        self.role = role
    }

    fileprivate func check(at place: String) throws(ServiceError) {
        let bytes = Array(name.utf8)
        guard (1...40).contains(bytes.count), bytes.first != 0x2d, bytes.last != 0x2d, name != "404",
            bytes.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d })
        else {
            throw ServiceError(
                .invalidArgument,
                "\"\(name.prefix(60))\" cannot be the name of a page: use 1 to 40 of a-z, 0-9 and hyphens",
                field: place + ".name", rule: "plan-name")
        }
        guard (1...40).contains(title.trimmed.count), !title.contains(where: \.isNewline) else {
            throw ServiceError(
                .invalidArgument, "the title of a page must be 1 to 40 characters on one line", field: place + ".title",
                rule: "plan-title")
        }
        guard purpose.count <= 300 else {
            throw ServiceError(
                .invalidArgument, "the purpose of a page has at most 300 characters", field: place + ".purpose",
                rule: "plan-purpose")
        }
    }

    /// The name of a page with this title: its letters and digits, other things as single hyphens.
    package static func name(for title: String) -> String {
        var name = ""
        for character in title.lowercased() {
            switch character {
            case "a"..."z", "0"..."9": name.append(character)
            case "ä": name += "ae"
            case "ö": name += "oe"
            case "ü": name += "ue"
            case "ß": name += "ss"
            case "é", "è", "ê": name += "e"
            case "á", "à", "â": name += "a"
            default: if !name.hasSuffix("-") { name += "-" }
            }
        }
        var trimmed = Substring(name.prefix(40))
        while trimmed.hasPrefix("-") { trimmed = trimmed.dropFirst() }
        while trimmed.hasSuffix("-") { trimmed = trimmed.dropLast() }
        return trimmed.isEmpty ? "page" : String(trimmed)
    }
}
