import Foundation
import Testing

extension TestSystem {
    /// Runs `pagewright-agent` with the state of this host.
    func askAgent(_ words: String...) async throws -> Tool.Ended { try await askAgent(words: words) }

    func askAgent(words: [String], state: Bool = true) async throws -> Tool.Ended {
        try await Tool.run(
            "pagewright-agent", words + (state ? ["--state", folder + "/a"] : []), in: folder)
    }

    /// Waits until the agent noticed that the coordinator is away.
    func untilAlone() async throws {
        try await until("the agent to notice that the coordinator is away") {
            try await askAgent("status", "--json").json["is_connected"] as? Bool == false
        }
    }

    /// Waits until the agent has a session.
    func untilConnected() async throws {
        try await until("the agent to have a session") {
            try await askAgent("status", "--json").json["is_connected"] as? Bool == true
        }
    }
}

extension Tool.Ended {
    /// What `doctor --json` found, by name.
    var checks: [String: [String: Any]] {
        let all = json["checks"] as? [[String: Any]] ?? []
        return Dictionary(all.map { ($0["name"] as? String ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }
}
