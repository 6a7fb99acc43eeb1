import Database
import DatabasePostgres
import DatabaseSQLite
import Logging
import Persistence
import TestSupport

/// The databases that every test of this target runs against.
enum DatabaseDriver: CaseIterable, Sendable {
    case sqlite
    case postgres

    /// A database without tables.
    func withEmptyDatabase<Value>(_ body: (any SQLDatabase) async throws -> Value) async throws -> Value {
        switch self {
        case .sqlite:
            try await withTemporaryDirectory { folder in
                try await body(try SQLiteDatabase(path: folder + "/test.sqlite"))
            }
        case .postgres:
            try await withPostgresDatabase { try await body($0) }
        }
    }

    /// A database with the newest schema.
    func withMigratedDatabase<Value>(_ body: (any SQLDatabase) async throws -> Value) async throws -> Value {
        try await withEmptyDatabase { database in
            _ = try await Migrator(Schema.migrations).migrate(database)
            return try await body(database)
        }
    }
}

/// A database of its own on the tests' server, or on another.
@discardableResult
func withPostgresDatabase<Value>(
    on server: PostgresServer? = nil, options: String = "", _ change: (inout PostgresSettings) -> Void = { _ in },
    _ body: (PostgresDatabase) async throws -> Value
) async throws -> Value {
    let server = try server ?? PostgresServer.shared()
    let name = try server.makeDatabase(options: options)
    defer { try? server.dropDatabase(name) }
    var settings = PostgresSettings(address: try PostgresAddress(server.address(of: name)))
    change(&settings)
    let database = try PostgresDatabase(settings, logger: quiet)
    // What decides how commits are waited for; servers that are refused have tests of their own.
    _ = try? await database.verify()
    return try await body(database)
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
