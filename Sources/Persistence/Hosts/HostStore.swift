package import Database
package import Domain

/// The rows of hosts and of the invitations that make them.
package struct HostStore: Sendable {
    package init() {}

    package func insert(_ host: Host, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO host (id, name, roles, state, agent_version, session_epoch, certificate_serial, pending_serial,
                certificate_expires_at, last_seen_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                SQLValue(host.id), .text(host.name), .text(Self.text(of: host.roles)), .text(host.state.rawValue),
                .text(host.agentVersion), .integer(host.sessionEpoch), .text(host.certificateSerial),
                SQLValue(host.pendingSerial), SQLValue(host.certificateExpiresAt), SQLValue(host.lastSeenAt),
                SQLValue(host.createdAt),
            ])
    }

    package func save(_ host: Host, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE host SET name = $2, state = $3, agent_version = $4, session_epoch = $5, certificate_serial = $6,
                pending_serial = $7, certificate_expires_at = $8, last_seen_at = $9 WHERE id = $1
            """,
            [
                SQLValue(host.id), .text(host.name), .text(host.state.rawValue), .text(host.agentVersion),
                .integer(host.sessionEpoch), .text(host.certificateSerial), SQLValue(host.pendingSerial),
                SQLValue(host.certificateExpiresAt), SQLValue(host.lastSeenAt),
            ])
    }

    package func find(_ id: HostID, in transaction: any SQLTransaction) async throws -> Host? {
        try await transaction.query("SELECT * FROM host WHERE id = $1", [SQLValue(id)]).first.map(Self.host)
    }

    /// Oldest first.
    package func list(in transaction: any SQLTransaction) async throws -> [Host] {
        try await transaction.query("SELECT * FROM host ORDER BY id").map(Self.host)
    }

    /// What decides whether a session of a host may go on: the host's state and its newest session.
    package func sessionFacts(
        in transaction: any SQLTransaction
    ) async throws -> [HostID: (state: Host.State, epoch: Int64)] {
        var facts: [HostID: (state: Host.State, epoch: Int64)] = [:]
        for row in try await transaction.query("SELECT id, state, session_epoch FROM host") {
            facts[try row.identifier("id")] = (try row.word("state"), try row.integer("session_epoch"))
        }
        return facts
    }

    package func insertInvitation(
        secretHash: String, roles: Set<HostRole>, createdBy: String, at now: Timestamp, expiresAt: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO invitation (secret_hash, roles, created_by, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [
                .text(secretHash), .text(Self.text(of: roles)), .text(createdBy), SQLValue(now), SQLValue(expiresAt),
            ])
    }

    /// Uses an invitation up and returns its roles; `nil` when there is none that is good at `now`. One statement, so
    /// that of a thousand askers one gets it.
    package func redeemInvitation(
        secretHash: String, for host: HostID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Set<HostRole>? {
        try await transaction.query(
            """
            UPDATE invitation SET used_at = $2, host_id = $3
            WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING roles
            """,
            [.text(secretHash), SQLValue(now), SQLValue(host)]
        ).first.map { try Self.roles(in: try $0.text("roles")) }
    }

    /// Why an invitation cannot be used: `used`, `expired` or `unknown`.
    package func invitationProblem(
        secretHash: String, in transaction: any SQLTransaction
    ) async throws -> String {
        guard
            let row = try await transaction.query(
                "SELECT used_at FROM invitation WHERE secret_hash = $1", [.text(secretHash)]
            ).first
        else { return "unknown" }
        return try row.optionalInteger("used_at") == nil ? "expired" : "used"
    }

    private static func text(of roles: Set<HostRole>) -> String {
        roles.map(\.rawValue).sorted().joined(separator: ",")
    }

    private static func roles(in text: String) throws -> Set<HostRole> {
        Set(
            try text.split(separator: ",").map { word in
                guard let role = HostRole(rawValue: String(word)) else {
                    throw SQLError(.badRow, "a host has the role \"\(word.prefix(40))\"")
                }
                return role
            })
    }

    private static func host(_ row: SQLRow) throws -> Host {
        Host(
            id: try row.identifier("id"), name: try row.text("name"), roles: try roles(in: try row.text("roles")),
            state: try row.word("state"), agentVersion: try row.text("agent_version"),
            sessionEpoch: try row.integer("session_epoch"), certificateSerial: try row.text("certificate_serial"),
            pendingSerial: try row.optionalText("pending_serial"),
            certificateExpiresAt: try row.timestamp("certificate_expires_at"),
            lastSeenAt: try row.optionalTimestamp("last_seen_at"), createdAt: try row.timestamp("created_at"))
    }
}
