package import Database
package import Domain

/// Where the database was last seen, and whether its memory is in doubt.
package struct InstallationRecord: Sendable, Equatable {
    package struct Recovery: Sendable, Equatable {
        package let since: Timestamp
        /// Why the memory is in doubt, as a sentence.
        package let reason: String

        package init(since: Timestamp, reason: String) {
            self.since = since
            self.reason = reason
        }
    }

    /// A random word that the sidecar file has too; empty before the first start.
    package let mark: String
    /// What the database server says that it is; empty when it does not say.
    package let storage: String
    /// The high bits of every fence.
    package let incarnation: Incarnation
    package let recovery: Recovery?

    package init(mark: String, storage: String, incarnation: Incarnation, recovery: Recovery?) {
        self.mark = mark
        self.storage = storage
        self.incarnation = incarnation
        self.recovery = recovery
    }
}

/// The one row of the installation.
package struct InstallationStore: Sendable {
    package init() {}

    package func find(in transaction: any SQLTransaction) async throws -> InstallationRecord {
        guard let row = try await transaction.query("SELECT * FROM installation WHERE id = 1").first else {
            throw SQLError(.badRow, "the row of the installation is missing")
        }
        guard let incarnation = Int16(exactly: try row.integer("incarnation")) else {
            throw SQLError(.badRow, "incarnation is out of range")
        }
        var recovery: InstallationRecord.Recovery?
        if let since = try row.optionalTimestamp("recovery_since") {
            recovery = InstallationRecord.Recovery(since: since, reason: try row.text("recovery_reason"))
        }
        return InstallationRecord(
            mark: try row.text("mark"), storage: try row.text("storage"),
            incarnation: Incarnation(rawValue: incarnation), recovery: recovery)
    }

    package func isRecovering(in transaction: any SQLTransaction) async throws -> Bool {
        try await transaction.answer(isRecovering)
    }

    package var isRecovering: SQLQuery<Bool> {
        SQLQuery("SELECT id FROM installation WHERE id = 1 AND recovery_since IS NOT NULL", []) { !$0.isEmpty }
    }

    package func note(mark: String, storage: String, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE installation SET mark = $1, storage = $2 WHERE id = 1", [.text(mark), .text(storage)])
    }

    /// From now on every fence is above all fences of lower incarnations.
    package func raise(to incarnation: Incarnation, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE installation SET incarnation = $1 WHERE id = 1", [.integer(Int64(incarnation.rawValue))])
        try await transaction.execute(
            "UPDATE site SET fence = $1 WHERE fence < $1", [.integer(incarnation.lowestFence.rawValue)])
    }

    /// Returns whether it was not in doubt until now.
    package func enterRecovery(
        because reason: String, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            UPDATE installation SET recovery_since = $1, recovery_reason = $2 WHERE id = 1 AND recovery_since IS NULL
            """, [SQLValue(now), .text(reason)]) == 1
    }

    package func leaveRecovery(in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE installation SET recovery_since = NULL, recovery_reason = NULL WHERE id = 1")
    }
}
