import Domain

/// What only the owner knows, as things to do. None of it stands in the pages as a gap.
enum Suggestions {
    static func list(brief: SiteBrief, plan: Sitemap) -> [String] {
        let reading = BriefReading(brief)
        let roles = Set(plan.pages.map(\.role))
        var list: [String] = []
        func path(_ role: PlannedPage.Role) -> String {
            (plan.pages.first { $0.role == role }?.name ?? PlannedPage.homeName) + ".html"
        }
        if roles.contains(.contact) {
            if reading.contact.phone == nil, reading.contact.mail == nil {
                list.append(
                    "Add a telephone number or an e-mail address to \(path(.contact)): visitors cannot reach you yet.")
            }
            list.append("Add your address and when you are there to \(path(.contact)).")
        }
        if reading.offers.isEmpty, roles.contains(.offer) {
            list.append("List what you offer on \(path(.offer)); the description names nothing to list.")
        } else if roles.contains(.offer) {
            list.append("Add prices or a sentence to each item on \(path(.offer)).")
        }
        if roles.contains(.work) { list.append("Add pictures of your work to \(path(.work)).") }
        if roles.contains(.programme) { list.append("Add dates and times to \(path(.programme)).") }
        if roles.contains(.about) { list.append("Add a photograph and names of people to \(path(.about)).") }
        if brief.audience == nil { list.append("Say whom the site is for, so that its words can speak to them.") }
        if brief.languages.count > 1 {
            list.append("Translate what you wrote yourself: the description stands in all languages as you wrote it.")
        }
        if brief.languages.contains(.german) {
            list.append("Add an imprint and a privacy notice (Impressum, Datenschutz) if the law asks you to.")
        }
        return list
    }
}
