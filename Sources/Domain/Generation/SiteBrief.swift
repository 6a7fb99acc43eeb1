/// What somebody says about the website that they would like to have. Text in it is content, never an instruction.
package struct SiteBrief: Sendable, Equatable, Codable {
    /// 1 to 80 characters on one line.
    package let businessName: String
    /// What it is, such as `bakery` or `football club`: 1 to 60 characters on one line.
    package let type: String
    /// 1 to 4,000 characters.
    package let description: String
    /// What the site is to achieve: 1 to 6 of 1 to 200 characters each.
    package let goals: [String]
    /// Whom it is for; at most 300 characters.
    package let audience: String?
    /// How it should look and sound, such as `warm and modern`; at most 300 characters.
    package let style: String?
    /// Each once; the first is that of the home page. When none is named, it is that of the description.
    package let languages: [SiteLanguage]
    /// The names of the pages besides the home page; empty when the plan is to choose.
    package let pages: [String]

    package static let maximumPages = 11

    /// - Throws: `invalidArgument` that names the field in the words of the API.
    package init(
        businessName: String, type: String, description: String, goals: [String], audience: String? = nil,
        style: String? = nil, languages: [String] = [], pages: [String] = []
    ) throws(ServiceError) {
        self.businessName = try Self.line(businessName, "business_name", atMost: 80)
        self.type = try Self.line(type, "type", atMost: 60)
        self.description = try Self.text(description, "description", atMost: 4000)
        guard (1...6).contains(goals.count) else {
            throw Self.refusal(
                "goals", "must be 1 to 6 sentences", "Say what visitors should do, such as: book a table.")
        }
        var lines: [String] = []
        for goal in goals { lines.append(try Self.line(goal, "goals", atMost: 200)) }
        self.goals = lines
        self.audience = try Self.optional(audience, "audience")
        self.style = try Self.optional(style, "style")
        var known: [SiteLanguage] = []
        for text in languages.isEmpty ? [SiteLanguage(of: self.description).rawValue] : languages {
            guard let language = SiteLanguage(rawValue: text.lowercased()), !known.contains(language) else {
                throw Self.refusal(
                    "languages", "has \"\(text.prefix(20))\", which is unknown or there twice",
                    "Choose from: \(SiteLanguage.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            known.append(language)
        }
        self.languages = known
        guard pages.count <= Self.maximumPages else {
            throw Self.refusal(
                "pages", "must be at most \(Self.maximumPages)", "Name fewer pages; more can be added later.")
        }
        var names: [String] = []
        for page in pages {
            let name = try Self.line(page, "pages", atMost: 40)
            guard !names.contains(where: { $0.lowercased() == name.lowercased() }) else {
                throw Self.refusal("pages", "has \"\(name)\" twice", "Name each page once.")
            }
            names.append(name)
        }
        self.pages = names
    }

    private static func line(_ text: String, _ field: String, atMost limit: Int) throws(ServiceError) -> String {
        let line = text.trimmed
        guard (1...limit).contains(line.count), !line.contains(where: \.isNewline),
            !line.unicodeScalars.contains(where: { $0.value < 0x20 })
        else { throw refusal(field, "must be 1 to \(limit) characters on one line", nil) }
        return line
    }

    private static func text(_ text: String, _ field: String, atMost limit: Int) throws(ServiceError) -> String {
        let text = text.trimmed
        guard (1...limit).contains(text.count),
            !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" && $0 != "\r" && $0 != "\t" })
        else { throw refusal(field, "must be 1 to \(limit) characters", nil) }
        return text
    }

    private static func optional(_ text: String?, _ field: String) throws(ServiceError) -> String? {
        guard let text = text?.trimmed, !text.isEmpty else { return nil }
        return try Self.text(text, field, atMost: 300)
    }

    private static func refusal(_ field: String, _ problem: String, _ nextStep: String?) -> ServiceError {
        ServiceError(.invalidArgument, "\(field) \(problem)", field: field, rule: "brief-\(field)", nextStep: nextStep)
    }

    // MARK: As JSON

    private enum CodingKeys: String, CodingKey {
        case businessName = "business_name"
        case type, description, goals, audience, style, languages, pages
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            businessName: try container.decode(String.self, forKey: .businessName),
            type: try container.decode(String.self, forKey: .type),
            description: try container.decode(String.self, forKey: .description),
            goals: try container.decode([String].self, forKey: .goals),
            audience: try container.decodeIfPresent(String.self, forKey: .audience),
            style: try container.decodeIfPresent(String.self, forKey: .style),
            languages: try container.decodeIfPresent([String].self, forKey: .languages) ?? [],
            pages: try container.decodeIfPresent([String].self, forKey: .pages) ?? [])
    }
}
