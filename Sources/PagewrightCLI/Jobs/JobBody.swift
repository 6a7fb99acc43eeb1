struct JobBody: Decodable {
    struct Failure: Decodable {
        let code: String
        let message: String
    }

    struct Usage: Decodable {
        let uncachedInputTokens: Int
        let cachedInputTokens: Int
        let outputTokens: Int
    }

    let id: String
    let siteId: String
    let kind: String
    let state: String
    let step: String?
    let progress: Int
    let attempt: Int
    let cancelRequested: Bool?
    let waitReason: String?
    let editId: String?
    let prompt: String?
    let engine: String?
    let baseVersion: Int?
    let hostId: String?
    let version: Int?
    let summary: String?
    let findings: [FindingBody]?
    let failure: Failure?
    let usage: Usage?
    /// `change` or `plan`.
    var mode: String?
    /// Of an answered plan.
    var plannedFiles: [String]?
    var review: Review?
    let model: String?
    let fromCache: Bool?
    let createdAt: String
    let updatedAt: String

    /// How far a change went.
    struct Review: Decodable {
        let sentence: String
        let version: Int?
    }

    var isOver: Bool { ["succeeded", "answered", "failed", "cancelled", "dead"].contains(state) }

    /// Whether there is a change that the checks refused and nobody accepted.
    var isRefused: Bool { state == "failed" && review != nil && review?.version == nil }

    /// What is happening, in one line.
    var progressLine: String {
        switch state {
        case "queued", "ready": waitReason.map { "waiting: \($0)" } ?? "waiting for a worker"
        case "leased":
            "\(String(repeating: " ", count: progress < 10 ? 2 : progress < 100 ? 1 : 0))\(progress) %  "
                + (cancelRequested == true ? "being cancelled" : step.flatMap { $0.isEmpty ? nil : $0 } ?? "working")
        default: state
        }
    }
}

/// Something that the checks found, in words that a non-programmer understands.
struct FindingBody: Decodable, Equatable {
    let severity: String
    let rule: String
    let path: String?
    let subject: String?
    let message: String
    var before: String?
    var after: String?
    /// What to do about it.
    var advice: String?

    var line: String {
        "\(severity)  \(path.flatMap { $0.isEmpty ? nil : "\($0): " } ?? "")\(message) [\(rule)]"
    }
}
