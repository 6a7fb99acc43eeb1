package import Database
package import Domain

/// The rows of backups and drills.
package struct BackupRunStore: Sendable {
    package init() {}

    package func insert(_ run: BackupRun, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO backup_run (id, kind, good, started_at, finished_at, place, name, size_bytes, rows_kept, blobs,
                detail)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                SQLValue(run.id), .text(run.kind.rawValue), SQLValue(run.isGood), SQLValue(run.startedAt),
                SQLValue(run.finishedAt), .text(run.place), .text(run.name), .integer(run.sizeInBytes),
                SQLValue(run.rows), SQLValue(run.blobs), .text(String(run.detail.prefix(1000))),
            ])
    }

    /// Newest first.
    package func list(limit: Int, in transaction: any SQLTransaction) async throws -> [BackupRun] {
        try await transaction.query("SELECT * FROM backup_run ORDER BY id DESC LIMIT $1", [SQLValue(limit)])
            .map(Self.run)
    }

    /// The newest good one of its kind.
    package func newestGood(
        _ kind: BackupRun.Kind, in transaction: any SQLTransaction
    ) async throws -> BackupRun? {
        try await transaction.query(
            "SELECT * FROM backup_run WHERE kind = $1 AND good = 1 ORDER BY finished_at DESC LIMIT 1",
            [.text(kind.rawValue)]
        ).first.map(Self.run)
    }

    /// When the newest one of its kind was begun, good or not.
    package func newestStart(
        of kind: BackupRun.Kind, in transaction: any SQLTransaction
    ) async throws -> Timestamp? {
        try await transaction.query(
            "SELECT MAX(started_at) AS newest FROM backup_run WHERE kind = $1", [.text(kind.rawValue)]
        )[0].optionalTimestamp("newest")
    }

    private static func run(_ row: SQLRow) throws -> BackupRun {
        BackupRun(
            id: try row.identifier("id"), kind: try row.word("kind"), isGood: try row.boolean("good"),
            startedAt: try row.timestamp("started_at"), finishedAt: try row.timestamp("finished_at"),
            place: try row.text("place"), name: try row.text("name"), sizeInBytes: try row.integer("size_bytes"),
            rows: Int(try row.integer("rows_kept")), blobs: Int(try row.integer("blobs")),
            detail: try row.text("detail"))
    }
}
