package import Database
package import Domain

/// The rows of hosts and of the invitations that make them.
package struct HostStore: Sendable {
    private static let byID = SQLLookup("SELECT * FROM host", by: "id")

    package init() {}

    package func insert(_ host: Host, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO host (id, name, roles, state, agent_version, session_epoch, certificate_serial, pending_serial,
                certificate_expires_at, last_seen_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                SQLValue(host.id), .text(host.name), .text(Self.text(of: host.roles)), Self.word(for: host.state),
                .text(host.agentVersion), .integer(host.sessionEpoch), .text(host.certificateSerial),
                SQLValue(host.pendingSerial), SQLValue(host.certificateExpiresAt), SQLValue(host.lastSeenAt),
                SQLValue(host.createdAt),
            ])
        try await save(host, in: transaction)
    }

    package func save(_ host: Host, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            UPDATE host SET name = $2, state = $3, agent_version = $4, session_epoch = $5, certificate_serial = $6,
                pending_serial = $7, certificate_expires_at = $8, last_seen_at = $9, quarantined = $10, labels = $11,
                credential_use = $12, upgrade_order = $13, upgrade_version = $14, certificate_issuer = $15
            WHERE id = $1
            """,
            [
                SQLValue(host.id), .text(host.name), Self.word(for: host.state), .text(host.agentVersion),
                .integer(host.sessionEpoch), .text(host.certificateSerial), SQLValue(host.pendingSerial),
                SQLValue(host.certificateExpiresAt), SQLValue(host.lastSeenAt),
                SQLValue(host.state == .quarantined), .text(host.labels.description), .text(host.credentialUse.text),
                SQLValue(host.upgradeOrder?.id), SQLValue(host.upgradeOrder?.version.text),
                .text(host.certificateIssuer),
            ])
    }

    /// A coordinator of the version before knows no quarantine; for it the host is one that is shut out.
    private static func word(for state: Host.State) -> SQLValue {
        .text((state == .quarantined ? Host.State.revoked : state).rawValue)
    }

    /// - Parameter prefix: how the names of the columns begin in an answer that has those of other tables, too.
    static func state(in row: SQLRow, prefix: String = "") throws -> Host.State {
        let state: Host.State = try row.word(prefix + "state")
        let isQuarantined = try row.optionalInteger(prefix + "quarantined") ?? 0 == 1
        return state == .revoked && isQuarantined ? .quarantined : state
    }

    package func find(_ id: HostID, in transaction: any SQLTransaction) async throws -> Host? {
        try await transaction.answer(find(id))
    }

    package func find(_ id: HostID) -> SQLQuery<Host?> {
        SQLQuery(Self.byID, SQLValue(id)) { try $0.first.map(Self.host) }
    }

    /// What these hosts are called, 1,000 at most; what is not there is left out.
    package func names(of ids: some Sequence<HostID>) -> SQLQuery<[HostID: String]> {
        .texts("name", of: "host", among: ids)
    }

    /// The hosts that have or had some of the sites.
    package func hosts(of sites: [SiteID]) -> SQLQuery<[HostID: Host]> {
        let wanted = ValueList(sites.map { SQLValue($0) })
        return SQLQuery(
            """
            SELECT * FROM host WHERE id IN (SELECT host_id FROM desired_site WHERE site_id IN (\(wanted.places)))
            """, wanted.parameters
        ) { rows in
            Dictionary(try rows.map(Self.host).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Notes that these hosts were heard of a moment ago.
    package func touch(
        _ hosts: some Sequence<HostID>, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        var rest = Array(hosts)[...]
        while !rest.isEmpty {
            let some = rest.prefix(500)
            rest = rest.dropFirst(500)
            let places = some.indices.map { "$\($0 - some.startIndex + 2)" }.joined(separator: ", ")
            try await transaction.execute(
                "UPDATE host SET last_seen_at = $1 WHERE id IN (\(places))", [SQLValue(now)] + some.map { SQLValue($0) }
            )
        }
    }

    /// Oldest first.
    package func list(in transaction: any SQLTransaction) async throws -> [Host] {
        try await transaction.query("SELECT * FROM host ORDER BY id").map(Self.host)
    }

    /// What decides whether a session of a host may go on: the host's state and its newest session.
    package func sessionFacts(
        in transaction: any SQLTransaction
    ) async throws -> [HostID: SessionFacts] {
        var facts: [HostID: SessionFacts] = [:]
        let rows = try await transaction.query(
            """
            SELECT id, state, session_epoch, quarantined, upgrade_order, upgrade_version, certificate_issuer FROM host
            """)
        for row in rows {
            facts[try row.identifier("id")] = SessionFacts(
                state: try Self.state(in: row), epoch: try row.integer("session_epoch"),
                upgradeOrder: try Self.order(in: row),
                certificateIssuer: try row.optionalText("certificate_issuer") ?? "")
        }
        return facts
    }

    /// What decides whether a session of a host may go on, and what the host is to be told.
    package struct SessionFacts: Sendable {
        package let state: Host.State
        package let epoch: Int64
        package let upgradeOrder: UpgradeOrder?
        package let certificateIssuer: String
    }

    private static func order(in row: SQLRow) throws -> UpgradeOrder? {
        guard let id = try row.optionalText("upgrade_order"), let version = try row.optionalText("upgrade_version")
        else { return nil }
        return UpgradeOrder(id: id, version: try ProgramVersionText(version))
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
        var host = Host(
            id: try row.identifier("id"), name: try row.text("name"), roles: try roles(in: try row.text("roles")),
            state: try state(in: row), agentVersion: try row.text("agent_version"),
            sessionEpoch: try row.integer("session_epoch"), certificateSerial: try row.text("certificate_serial"),
            pendingSerial: try row.optionalText("pending_serial"),
            certificateExpiresAt: try row.timestamp("certificate_expires_at"),
            lastSeenAt: try row.optionalTimestamp("last_seen_at"), createdAt: try row.timestamp("created_at"))
        host.labels = try HostLabels(try row.optionalText("labels") ?? "")
        host.credentialUse = CredentialUse(try row.optionalText("credential_use") ?? "") ?? CredentialUse()
        host.upgradeOrder = try order(in: row)
        host.certificateIssuer = try row.optionalText("certificate_issuer") ?? ""
        return host
    }
}
