package import Database
package import Domain

/// The rows of log-in sessions and of their refresh tokens.
package struct LoginSessionStore: Sendable {
    package init() {}

    package func insert(_ session: LoginSessionRecord, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO login_session (id, user_id, created_at, expires_at, ended_at, address, agent, used_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $3)
            """,
            [
                SQLValue(session.id), SQLValue(session.user), SQLValue(session.createdAt), SQLValue(session.expiresAt),
                SQLValue(session.endedAt), .text(session.address), .text(session.agent),
            ])
    }

    package func find(_ id: SessionID, in transaction: any SQLTransaction) async throws -> LoginSessionRecord? {
        try await transaction.query("SELECT * FROM login_session WHERE id = $1", [SQLValue(id)]).first.map { row in
            LoginSessionRecord(
                id: try row.identifier("id"), user: try row.identifier("user_id"),
                createdAt: try row.timestamp("created_at"), expiresAt: try row.timestamp("expires_at"),
                endedAt: try row.optionalTimestamp("ended_at"), address: try row.text("address"),
                agent: try row.text("agent"))
        }
    }

    /// Whether it was not ended, and its user may log in.
    package func isOpen(_ id: SessionID, in transaction: any SQLTransaction) async throws -> Bool {
        try await !transaction.query(
            """
            SELECT login_session.id FROM login_session JOIN app_user ON app_user.id = login_session.user_id
            WHERE login_session.id = $1 AND login_session.ended_at IS NULL AND app_user.disabled_at IS NULL
            """, [SQLValue(id)]
        ).isEmpty
    }

    /// Those of `user` that have neither ended nor expired, the newest first.
    package func list(
        of user: UserID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [LoginSession] {
        try await transaction.query(
            """
            SELECT * FROM login_session WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
            ORDER BY id DESC LIMIT 200
            """, [SQLValue(user), SQLValue(now)]
        ).map { row in
            let createdAt = try row.timestamp("created_at")
            return LoginSession(
                id: try row.identifier("id"), user: try row.identifier("user_id"), createdAt: createdAt,
                usedAt: try row.optionalTimestamp("used_at") ?? createdAt, expiresAt: try row.timestamp("expires_at"),
                address: try row.text("address"), agent: try row.text("agent"))
        }
    }

    /// Ends all of `user`, but not `kept`. Returns how many.
    @discardableResult
    package func endAll(
        of user: UserID, except kept: SessionID? = nil, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Int {
        Int(
            try await transaction.execute(
                "UPDATE login_session SET ended_at = $3 WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL",
                [SQLValue(user), .text(kept?.text ?? ""), SQLValue(now)]))
    }

    /// Lets the session last until `instant`, as its newest token does.
    package func extend(
        _ id: SessionID, until instant: Timestamp, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE login_session SET expires_at = $2, used_at = $3 WHERE id = $1",
            [SQLValue(id), SQLValue(instant), SQLValue(now)])
    }

    /// No token of the session is worth anything from now on.
    package func end(_ id: SessionID, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE login_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", [SQLValue(id), SQLValue(now)])
    }

    package func insert(_ token: RefreshTokenRecord, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "INSERT INTO refresh_token (hash, session_id, expires_at, used_at) VALUES ($1, $2, $3, $4)",
            [SQLValue(token.hash), SQLValue(token.session), SQLValue(token.expiresAt), SQLValue(token.usedAt)])
    }

    package func findToken(
        _ hash: ContentDigest, in transaction: any SQLTransaction
    ) async throws -> RefreshTokenRecord? {
        try await transaction.query("SELECT * FROM refresh_token WHERE hash = $1", [SQLValue(hash)]).first.map { row in
            RefreshTokenRecord(
                hash: try row.digest("hash"), session: try row.identifier("session_id"),
                expiresAt: try row.timestamp("expires_at"), usedAt: try row.optionalTimestamp("used_at"))
        }
    }

    /// Marks the token as used. Returns whether it was unused until now.
    package func use(
        _ hash: ContentDigest, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "UPDATE refresh_token SET used_at = $2 WHERE hash = $1 AND used_at IS NULL",
            [SQLValue(hash), SQLValue(now)]) == 1
    }

    /// Forgets the sessions of `user` that ended or expired before `instant`, and their tokens.
    package func deleteOver(
        of user: UserID, before instant: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        let over = "user_id = $1 AND (expires_at < $2 OR ended_at < $2)"
        try await transaction.execute(
            "DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM login_session WHERE \(over))",
            [SQLValue(user), SQLValue(instant)])
        try await transaction.execute(
            "DELETE FROM login_session WHERE \(over)", [SQLValue(user), SQLValue(instant)])
    }
}
