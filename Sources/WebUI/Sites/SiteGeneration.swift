package import Domain

/// What somebody says of the site that they want.
package struct SiteBrief: Sendable, Equatable {
    package let name: String
    package let slug: String
    /// What they do, such as "a bakery in Kreuzberg".
    package let occupation: String
    package let audience: String
    package let goal: String
    package let style: String
    package let language: String

    package init(
        name: String, slug: String, occupation: String, audience: String, goal: String, style: String, language: String
    ) {
        self.name = name
        self.slug = slug
        self.occupation = occupation
        self.audience = audience
        self.goal = goal
        self.style = style
        self.language = language
    }
}

/// The seam to whatever makes sites from a description.
package struct SiteGeneration: Sendable {
    /// One page that would be made: its name, and what would be on it.
    package struct PlannedPage: Sendable, Equatable {
        package let title: String
        package let content: String

        package init(title: String, content: String) {
            self.title = title
            self.content = content
        }
    }

    /// What would be made; nothing is changed by asking.
    package let plan: @Sendable (SiteBrief, Principal) async throws -> [PlannedPage]
    /// Begins; the pages follow the job.
    package let start: @Sendable (SiteBrief, Principal) async throws -> JobID

    package init(
        plan: @escaping @Sendable (SiteBrief, Principal) async throws -> [PlannedPage],
        start: @escaping @Sendable (SiteBrief, Principal) async throws -> JobID
    ) {
        self.plan = plan
        self.start = start
    }
}
