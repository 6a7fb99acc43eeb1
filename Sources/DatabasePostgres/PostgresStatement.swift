import Database

/// One statement that is sent, with others or alone.
struct PostgresStatement: Sendable {
    let text: String
    var parameters: [SQLValue] = []
    /// Whether its rows are wanted.
    var decodesRows = false

    static let beginWriting = Self(text: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    static let beginReading = Self(text: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    /// Takes the snapshot, and says how far the log was written then: all that the snapshot shows is before that.
    static let logPosition = Self(
        text: """
            SELECT CASE WHEN pg_is_in_recovery() THEN '0/0'::pg_lsn ELSE pg_current_wal_insert_lsn() END::TEXT AS position
            """, decodesRows: true)

    /// Whether the log is on the disk up to `position`.
    static func isOnDisk(_ position: String) -> Self {
        Self(
            text: """
                SELECT (CASE WHEN pg_is_in_recovery() THEN TRUE
                    ELSE pg_current_wal_flush_lsn() >= $1::TEXT::pg_lsn END)::INT AS is_on_disk
                """, parameters: [.text(position)], decodesRows: true)
    }

    /// Takes the snapshot, and says whether all that it shows is on the disk already.
    static let isShownOnDisk = Self(
        text: """
            SELECT (CASE WHEN pg_is_in_recovery() THEN TRUE
                ELSE pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() END)::INT AS is_on_disk
            """, decodesRows: true)

    static let commit = Self(text: "COMMIT")
    static let rollback = Self(text: "ROLLBACK")

    /// Waits until no other transaction is of a scope that overlaps with this one; the lock ends with the transaction.
    static func lock(_ scope: SQLScope) -> Self {
        switch scope {
        case .everything: return Self(text: "SELECT pg_advisory_xact_lock(\(space), 0)")
        case .only(let keys):
            // In one order for all, so that two transactions do not wait for each other.
            let numbers = Set(keys.map(number)).sorted()
            let locks = numbers.indices.map { ", pg_advisory_xact_lock($\($0 + 1)::BIGINT)" }.joined()
            return Self(
                text: "SELECT pg_advisory_xact_lock_shared(\(space), 0)\(locks)",
                parameters: numbers.map { .integer($0) })
        }
    }

    /// Sets our locks apart from other programs' in the same database.
    private static let space = 1_346_653_038

    /// The same number for the same key in every process (FNV-1a). Two keys with one number wait for each other, which
    /// is harmless.
    static func number(of key: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
