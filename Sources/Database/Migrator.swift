/// Brings the schema to the newest step, each step in a transaction of its own. A database with newer steps is fine as long
/// as they only added something.
package struct Migrator: Sendable {
    private let migrations: [Migration]

    package init(_ migrations: [Migration]) {
        precondition(
            zip(migrations, migrations.dropFirst()).allSatisfy { $0.number < $1.number },
            "migrations are in the order of their numbers")
        self.migrations = migrations
    }

    /// What ``migrate(_:)`` would apply. Changes nothing, and refuses a schema that this program cannot work with.
    package func pending(in database: any SQLDatabase) async throws -> [Migration] {
        let current: Int64
        do {
            current = try await database.read { try await usable(in: $0) }
        } catch let error as SQLError where error.kind == .statement {
            // There is not even the table of steps.
            return migrations
        }
        return migrations.filter { Int64($0.number) > current }
    }

    private static func current(in transaction: any SQLTransaction) async throws -> Int64 {
        try await transaction.query("SELECT COALESCE(MAX(number), 0) AS number FROM schema_migration")[0]
            .integer("number")
    }

    /// The same, when no newer step took away what this program needs.
    private func usable(in transaction: any SQLTransaction) async throws -> Int64 {
        let newest = migrations.last?.number ?? 0
        let newer = try await transaction.query(
            "SELECT name FROM schema_migration WHERE number > $1", [SQLValue(newest)])
        let current = try await Self.current(in: transaction)
        for step in newer where try step.text("name").hasPrefix(Migration.contractionWord) {
            throw SQLError(
                .schemaTooNew,
                "the database has schema \(current), this program knows \(newest): install the newer program")
        }
        return current
    }

    /// Applies what is missing and returns the numbers applied. Refuses a schema that this program cannot work with.
    package func migrate(_ database: any SQLDatabase) async throws -> [Int] {
        try await database.withTransaction { transaction in
            try await transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)
                """)
        }
        var applied: [Int] = []
        for migration in migrations {
            let isNew = try await database.withTransaction { transaction in
                let current = try await usable(in: transaction)
                guard current < Int64(migration.number) else { return false }
                for statement in migration.statements { try await transaction.execute(statement) }
                try await transaction.execute(
                    "INSERT INTO schema_migration (number, name) VALUES ($1, $2)",
                    [SQLValue(migration.number), .text(migration.recordedName)])
                return true
            }
            if isNew { applied.append(migration.number) }
        }
        return applied
    }
}
