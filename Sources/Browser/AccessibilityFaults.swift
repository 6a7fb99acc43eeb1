/// What of one page people cannot use who do not see it, counted, so that two versions of a page can be held against each
/// other.
struct AccessibilityFaults: Sendable, Equatable {
    struct Problem: Sendable, Equatable {
        let rule: String
        let subject: String
        let message: String
    }

    private static let idLimit = 50

    /// How many things of each role have no name.
    private(set) var nameless: [String: Int] = [:]
    var lacksViewport = false
    /// How many main headings there are; one is right.
    var headings = 1
    /// Ids that more than one element has.
    private(set) var twice: [String] = []

    mutating func addNameless(_ role: String) { nameless[role, default: 0] += 1 }

    mutating func addTwice(_ id: String) {
        if twice.count < Self.idLimit, !twice.contains(id) { twice.append(id) }
    }

    /// In a fixed order.
    var problems: [Problem] {
        nameless.keys.sorted().map(Self.problem(nameless:)) + (lacksViewport ? [Self.viewport] : [])
            + (headings == 1 ? [] : [heading]) + twice.map(Self.problem(twice:))
    }

    /// Those of the problems of which `before` had fewer, or none.
    func worse(than before: AccessibilityFaults) -> [Problem] {
        nameless.keys.sorted().filter { nameless[$0, default: 0] > before.nameless[$0, default: 0] }
            .map(Self.problem(nameless:))
            + (lacksViewport && !before.lacksViewport ? [Self.viewport] : [])
            + (abs(headings - 1) > abs(before.headings - 1) ? [heading] : [])
            + twice.filter { !before.twice.contains($0) }.map(Self.problem(twice:))
    }

    private static let viewport = Problem(
        rule: "viewport-missing", subject: "", message: "The page does not adapt to small screens: it has no viewport.")

    private var heading: Problem {
        Problem(
            rule: "heading-one", subject: "\(headings)",
            message: "The page has \(headings) main headings instead of one.")
    }

    private static func problem(nameless role: String) -> Problem {
        Problem(
            rule: "accessibility-name", subject: role, message: "A \(role) has no name that could be read aloud.")
    }

    private static func problem(twice id: String) -> Problem {
        Problem(rule: "id-twice", subject: id, message: "Two elements have the id \"\(id.prefix(60))\".")
    }
}
