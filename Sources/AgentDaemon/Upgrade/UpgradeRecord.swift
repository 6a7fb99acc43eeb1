import Domain
import FleetIdentity
import FoundationEssentials

/// What became of the last order, in a file that outlives the agent that got it.
struct UpgradeRecord: Codable, Equatable {
    static let name = "upgrade.json"

    var order: String
    var from: String
    var to: String
    var outcome: String
    var detail: String

    /// `nil` when there never was one, or it cannot be read. Blocks.
    static func load(from state: StateFolder) -> UpgradeRecord? {
        guard let bytes = try? DurableFolder(path: state.path).read(name) else { return nil }
        return try? JSONDecoder().decode(Self.self, from: Data(bytes))
    }

    func save(to state: StateFolder) throws {
        try DurableFolder(path: state.path).write(Array(try JSONEncoder().encode(self)) + [0x0a], to: Self.name)
    }

    var report: UpgradeReport {
        UpgradeReport(order: order, outcome: UpgradeReport.Outcome(rawValue: outcome) ?? .failed, detail: detail)
    }
}
