/// How the making of a site from a brief goes.
struct GenerationBody: Decodable {
    struct Page: Codable {
        let name: String
        let title: String
        let purpose: String
        let role: String
    }

    struct Step: Decodable {
        let step: String
        let page: String
        let round: Int
        let milliseconds: Int
        let uncachedInputTokens: Int
        let cachedInputTokens: Int
        let outputTokens: Int

        var tokens: Int { uncachedInputTokens + cachedInputTokens + outputTokens }
    }

    let siteId: String
    let jobId: String
    let state: String
    let message: String
    let progress: Int
    let engine: String
    let kind: String?
    let plan: [Page]?
    let steps: [Step]

    /// The whole of it in lines; `site` is how the user calls the site.
    func lines(site: String) -> [String] {
        var lines = ["\(site): \(state.replacing("_", with: " ")), \(progress) %", "  \(message)"]
        if let plan {
            lines.append("")
            lines.append("  The plan\(kind.map { " (\($0))" } ?? ""):")
            let width = plan.map(\.title.count).max() ?? 0
            lines += plan.map { page in
                "    \(page.title)\(String(repeating: " ", count: width - page.title.count))  /\(page.name).html  \(page.purpose)"
            }
        }
        if !steps.isEmpty {
            lines.append("")
            lines.append("  Steps:")
            lines += steps.map { step in
                let name = step.page.isEmpty ? step.step : "\(step.step) \(step.page)"
                let round = step.round == 0 ? "" : " (round \(step.round))"
                return "    \(name)\(round)  \(step.milliseconds) ms, \(Wording.count(step.tokens, "token"))"
            }
        }
        return lines
    }
}
