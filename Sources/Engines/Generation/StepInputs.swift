import Domain

/// What goes into each step.
struct PlanInput: Codable, Equatable {
    let brief: SiteBrief
}

struct CopyInput: Codable, Equatable {
    let brief: SiteBrief
    let kind: BusinessKind
    /// The whole plan, so that pages can refer to each other.
    let pages: [PlannedPage]
    let page: PlannedPage
    let language: SiteLanguage
}

struct DesignInput: Codable, Equatable {
    let brief: SiteBrief
    let kind: BusinessKind
}

struct RepairInput: Codable, Equatable {
    let copy: PageCopy
    let problems: [String]
}

/// What comes out of the steps that ask nobody.
struct BuildOutput: Codable, Equatable {
    struct File: Codable, Equatable {
        let path: String
        let bytes: Int
    }
    let files: [File]
    /// What only the owner knows, as things to do.
    let suggestions: [String]
}

struct CheckOutput: Codable, Equatable {
    let problems: [BuildProblem]
}
