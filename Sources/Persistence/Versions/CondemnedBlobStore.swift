package import Database
package import Domain

/// The rows of blobs that a garbage collection is about to delete. No version may be made of one of them, and while one is
/// here nobody else decides about it.
package struct CondemnedBlobStore: Sendable {
    /// How many rows one statement writes: both databases limit the number of parameters.
    private static let rowsInOneStatement = 100

    package init() {}

    /// How many times blobs were acquitted. Whoever looked for a blob before the last time has to look again.
    package func sweeps(in transaction: any SQLTransaction) async throws -> Int64 {
        try await transaction.query("SELECT value FROM counter WHERE name = 'blob-sweep'")[0].integer("value")
    }

    /// The same, and holds off every other caller of this until the end of the transaction: those who make versions and those
    /// who condemn blobs see each other's work or wait for it.
    package func lockSweeps(in transaction: any SQLTransaction) async throws -> Int64 {
        try await transaction.query(
            "UPDATE counter SET value = value WHERE name = 'blob-sweep' RETURNING value")[0].integer("value")
    }

    package func list(in transaction: any SQLTransaction) async throws -> Set<ContentDigest> {
        Set(try await transaction.query("SELECT digest FROM condemned_blob").map { try $0.digest("digest") })
    }

    /// Returns those that nobody had condemned before.
    package func condemn(
        _ digests: [ContentDigest], by run: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [ContentDigest] {
        let known = try await list(in: transaction)
        let new = digests.filter { !known.contains($0) }
        for start in stride(from: 0, to: new.count, by: Self.rowsInOneStatement) {
            let slice = new[start..<min(start + Self.rowsInOneStatement, new.count)]
            let rows = (0..<slice.count).map { "($\($0 + 3), $1, $2)" }.joined(separator: ", ")
            try await transaction.execute(
                "INSERT INTO condemned_blob (digest, run, condemned_at) VALUES \(rows)",
                [.text(run), SQLValue(now)] + slice.map { SQLValue($0) })
        }
        return new
    }

    /// Ends a sweep: what is gone is gone, what stayed may be used again. Those in `except` stay condemned.
    package func acquit(
        run: String, except uncertain: [ContentDigest], in transaction: any SQLTransaction
    ) async throws {
        for digest in uncertain {
            // Left for a later collection, under a name that no living one has.
            try await transaction.execute(
                "UPDATE condemned_blob SET run = $2 WHERE digest = $1 AND run = $3",
                [SQLValue(digest), .text("uncertain-" + run), .text(run)])
        }
        try await transaction.execute("DELETE FROM condemned_blob WHERE run = $1", [.text(run)])
        try await transaction.execute("UPDATE counter SET value = value + 1 WHERE name = 'blob-sweep'")
    }

    /// Takes over what was condemned before `time` and never acquitted, for `run`.
    package func takeOver(
        condemnedBefore time: Timestamp, by run: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [ContentDigest] {
        try await transaction.execute(
            "UPDATE condemned_blob SET run = $1, condemned_at = $2 WHERE condemned_at < $3",
            [.text(run), SQLValue(now), SQLValue(time)])
        return try await transaction.query("SELECT digest FROM condemned_blob WHERE run = $1", [.text(run)])
            .map { try $0.digest("digest") }
    }
}
