package import Database
package import Domain

/// A brake that a coordinator put on, because what it was about to do looked like a mistake.
package struct EngagedBrake: Sendable, Equatable {
    package let name: String
    /// What it holds back, as a sentence.
    package let detail: String
    package let engagedAt: Timestamp
    /// When an operator said that it is meant.
    package let releasedAt: Timestamp?

    package init(name: String, detail: String, engagedAt: Timestamp, releasedAt: Timestamp?) {
        self.name = name
        self.detail = detail
        self.engagedAt = engagedAt
        self.releasedAt = releasedAt
    }
}

/// The rows of brakes that are on.
package struct BrakeStore: Sendable {
    package init() {}

    package func list(in transaction: any SQLTransaction) async throws -> [EngagedBrake] {
        try await transaction.query("SELECT * FROM brake ORDER BY name").map(Self.brake)
    }

    package func find(_ name: String, in transaction: any SQLTransaction) async throws -> EngagedBrake? {
        try await transaction.query("SELECT * FROM brake WHERE name = $1", [.text(name)]).first.map(Self.brake)
    }

    /// Returns whether it was off until now.
    package func engage(
        _ name: String, detail: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            INSERT INTO brake (name, detail, engaged_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING
            """, [.text(name), .text(detail), SQLValue(now)]) == 1
    }

    package func release(_ name: String, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE brake SET released_at = $2 WHERE name = $1", [.text(name), SQLValue(now)])
    }

    /// Returns whether it was on until now.
    package func clear(_ name: String, in transaction: any SQLTransaction) async throws -> Bool {
        try await transaction.execute("DELETE FROM brake WHERE name = $1", [.text(name)]) == 1
    }

    private static func brake(_ row: SQLRow) throws -> EngagedBrake {
        EngagedBrake(
            name: try row.text("name"), detail: try row.text("detail"), engagedAt: try row.timestamp("engaged_at"),
            releasedAt: try row.optionalTimestamp("released_at"))
    }
}
