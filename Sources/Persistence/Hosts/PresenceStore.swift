package import Database
package import Domain

/// The rows of living coordinators and of the sessions that they have. Every statement decides for itself, so that the
/// transactions of several coordinators need not wait for each other.
package struct PresenceStore: Sendable {
    /// How many rows one statement writes: both databases limit the number of parameters.
    private static let rowsInOneStatement = 100
    private static let columns = 9

    package init() {}

    /// Writes the pulse of a coordinator, which is higher every time. Returns `false` when it was not known, or not any
    /// more: then all of its sessions are to be written again.
    package func beat(
        _ name: String, pulse: Int64, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        let values: [SQLValue] = [.text(name), .integer(pulse), SQLValue(now)]
        let isKnown =
            try await transaction.execute(
                "UPDATE coordinator SET pulse = $2, seen_at = $3 WHERE name = $1", values) == 1
        if !isKnown {
            try await transaction.execute(
                "INSERT INTO coordinator (name, pulse, seen_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                values)
        }
        return isKnown
    }

    /// Writes sessions down; one that is older than what is there changes nothing.
    package func write(_ sessions: [HostPresence], in transaction: any SQLTransaction) async throws {
        for start in stride(from: 0, to: sessions.count, by: Self.rowsInOneStatement) {
            let slice = sessions[start..<min(start + Self.rowsInOneStatement, sessions.count)]
            let rows = (0..<slice.count).map { row in
                "(" + (1...Self.columns).map { "$\(row * Self.columns + $0)" }.joined(separator: ", ") + ")"
            }
            try await transaction.execute(
                """
                INSERT INTO host_session
                    (host_id, coordinator, epoch, is_worker, engines, slots, is_draining, disk_free, disk_total)
                VALUES \(rows.joined(separator: ", "))
                ON CONFLICT (host_id) DO UPDATE SET coordinator = excluded.coordinator, epoch = excluded.epoch,
                    is_worker = excluded.is_worker, engines = excluded.engines, slots = excluded.slots,
                    is_draining = excluded.is_draining, disk_free = excluded.disk_free,
                    disk_total = excluded.disk_total
                WHERE host_session.epoch <= excluded.epoch
                """, slice.flatMap(Self.values))
        }
    }

    /// The session of that epoch is over.
    package func remove(_ host: HostID, epoch: Int64, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "DELETE FROM host_session WHERE host_id = $1 AND epoch = $2", [SQLValue(host), .integer(epoch)])
    }

    /// The pulses of all coordinators, by name.
    package func pulses(in transaction: any SQLTransaction) async throws -> [String: Int64] {
        var pulses: [String: Int64] = [:]
        for row in try await transaction.query("SELECT name, pulse FROM coordinator") {
            pulses[try row.text("name")] = try row.integer("pulse")
        }
        return pulses
    }

    /// The sessions that others than `coordinator` have.
    package func sessions(
        elsewhereThan coordinator: String, in transaction: any SQLTransaction
    ) async throws -> [HostPresence] {
        try await transaction.query("SELECT * FROM host_session WHERE coordinator <> $1", [.text(coordinator)])
            .map(Self.session)
    }

    /// A coordinator is gone, unless its pulse went on since; its sessions go with it.
    package func forget(_ name: String, pulse: Int64, in transaction: any SQLTransaction) async throws {
        guard
            try await transaction.execute(
                "DELETE FROM coordinator WHERE name = $1 AND pulse = $2", [.text(name), .integer(pulse)]) == 1
        else { return }
        try await transaction.execute("DELETE FROM host_session WHERE coordinator = $1", [.text(name)])
    }

    /// A coordinator stops; its sessions go with it.
    package func leave(_ name: String, in transaction: any SQLTransaction) async throws {
        try await transaction.execute("DELETE FROM coordinator WHERE name = $1", [.text(name)])
        try await transaction.execute("DELETE FROM host_session WHERE coordinator = $1", [.text(name)])
    }

    private static func values(_ session: HostPresence) -> [SQLValue] {
        [
            SQLValue(session.host), .text(session.coordinator), .integer(session.epoch), SQLValue(session.isWorker),
            .text(session.engines.map(\.rawValue).sorted().joined(separator: ",")), SQLValue(session.slots),
            SQLValue(session.isDraining), SQLValue(session.diskFreeBytes), SQLValue(session.diskTotalBytes),
        ]
    }

    private static func session(_ row: SQLRow) throws -> HostPresence {
        // A newer coordinator beside this one may know engines that this one does not.
        let engines = try row.text("engines").split(separator: ",").compactMap { EngineName(rawValue: String($0)) }
        return HostPresence(
            host: try row.identifier("host_id"), coordinator: try row.text("coordinator"),
            epoch: try row.integer("epoch"), isWorker: try row.boolean("is_worker"), engines: Set(engines),
            slots: Int(try row.integer("slots")), isDraining: try row.boolean("is_draining"),
            diskFreeBytes: try row.optionalInteger("disk_free"), diskTotalBytes: try row.optionalInteger("disk_total"))
    }
}
