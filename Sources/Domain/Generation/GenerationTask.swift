/// What a worker needs to generate a site, or to go on with it: it travels as JSON in the offer.
package struct GenerationTask: Sendable, Equatable, Codable {
    /// A step that was done before. It is used again when the same question would be asked again.
    package struct Stored: Sendable, Equatable, Codable {
        package let name: GenerationStep.Name
        package let page: String
        package let input: String
        package let output: String

        package init(name: GenerationStep.Name, page: String, input: String, output: String) {
            self.name = name
            self.page = page
            self.input = input
            self.output = output
        }
    }

    /// As JSON, in bytes.
    package static let sizeLimit = 2 << 20

    package let brief: SiteBrief
    /// The plan as its owner approved it; `nil` when there is none yet.
    package let plan: Sitemap?
    package let stopsAfterPlan: Bool
    package let stored: [Stored]

    package init(brief: SiteBrief, plan: Sitemap? = nil, stopsAfterPlan: Bool = false, stored: [Stored] = []) {
        self.brief = brief
        self.plan = plan
        self.stopsAfterPlan = stopsAfterPlan
        self.stored = stored
    }

    private enum CodingKeys: String, CodingKey {
        case brief, plan, stored
        case stopsAfterPlan = "stops_after_plan"
    }
}
