package import Database

/// Small facts about the installation, by name.
package struct SettingStore: Sendable {
    package init() {}

    package func value(of name: String, in transaction: any SQLTransaction) async throws -> String? {
        try await transaction.query("SELECT value FROM setting WHERE name = $1", [.text(name)]).first?.text("value")
    }

    package func set(_ name: String, to value: String, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
            [.text(name), .text(value)])
    }
}
