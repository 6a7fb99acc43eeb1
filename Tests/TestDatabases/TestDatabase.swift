package import Database
import DatabasePostgres
import DatabaseSQLite
import Logging
import Persistence
import TestSupport

/// The databases that use cases are tested on: what holds on one holds on the other.
package enum TestDatabase: CaseIterable, Sendable {
    case sqlite
    /// One server for all tests of a process, a database of its own for each.
    case postgres

    /// Runs `body` with a database that has the newest schema and nothing in it.
    package func withMigrated<Value>(
        in folder: String, _ body: (any SQLDatabase) async throws -> Value
    ) async throws -> Value {
        switch self {
        case .sqlite:
            let database = try SQLiteDatabase(path: folder + "/pagewright.sqlite")
            _ = try await Migrator(Schema.migrations).migrate(database)
            return try await body(database)
        case .postgres:
            let server = try PostgresServer.shared()
            let name = try server.makeDatabase()
            defer { try? server.dropDatabase(name) }
            let database = try PostgresDatabase(
                PostgresSettings(address: try PostgresAddress(server.address(of: name))),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            // Decides how commits are waited for.
            try await database.verify()
            _ = try await Migrator(Schema.migrations).migrate(database)
            return try await body(database)
        }
    }
}
