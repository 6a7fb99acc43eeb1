import Database
import DatabaseSQLite
import Persistence
import TestSupport

/// The databases that every test of this target runs against.
enum DatabaseDriver: CaseIterable, Sendable {
    case sqlite

    /// A database without tables.
    func withEmptyDatabase<Value>(_ body: (any SQLDatabase) async throws -> Value) async throws -> Value {
        switch self {
        case .sqlite:
            try await withTemporaryDirectory { folder in
                try await body(try SQLiteDatabase(path: folder + "/test.sqlite"))
            }
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
