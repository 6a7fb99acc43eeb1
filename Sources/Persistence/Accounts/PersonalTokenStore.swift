package import Database
package import Domain

/// The rows of personal access tokens; of the secret they know the SHA-256.
package struct PersonalTokenStore: Sendable {
    package init() {}

    package func insert(
        _ token: PersonalToken, hash: ContentDigest, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO personal_token (id, user_id, name, hash, scopes, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                SQLValue(token.id), SQLValue(token.user), .text(token.name), SQLValue(hash),
                .text(token.scopes.sorted().map(\.rawValue).joined(separator: ",")), SQLValue(token.createdAt),
                SQLValue(token.expiresAt),
            ])
    }

    package func find(hash: ContentDigest, in transaction: any SQLTransaction) async throws -> PersonalToken? {
        try await transaction.query("SELECT * FROM personal_token WHERE hash = $1", [SQLValue(hash)]).first.map(
            Self.token)
    }

    /// Those of `user`, the newest first; expired ones too, so that their owner sees why a program stopped.
    package func list(of user: UserID, in transaction: any SQLTransaction) async throws -> [PersonalToken] {
        try await transaction.query(
            "SELECT * FROM personal_token WHERE user_id = $1 ORDER BY id DESC LIMIT 200", [SQLValue(user)]
        ).map(Self.token)
    }

    package func count(of user: UserID, in transaction: any SQLTransaction) async throws -> Int {
        Int(
            try await transaction.query(
                "SELECT COUNT(*) AS number FROM personal_token WHERE user_id = $1", [SQLValue(user)]
            )[0].integer("number"))
    }

    package func noteUse(
        of id: PersonalTokenID, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            "UPDATE personal_token SET last_used_at = $2 WHERE id = $1", [SQLValue(id), SQLValue(now)])
    }

    /// Returns whether `user` had it.
    package func delete(
        _ id: PersonalTokenID, of user: UserID, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "DELETE FROM personal_token WHERE id = $1 AND user_id = $2", [SQLValue(id), SQLValue(user)]) == 1
    }

    private static func token(_ row: SQLRow) throws -> PersonalToken {
        let words = try row.text("scopes").split(separator: ",").map(String.init)
        return PersonalToken(
            id: try row.identifier("id"), user: try row.identifier("user_id"), name: try row.text("name"),
            // A word that a newer program wrote gives nothing here.
            scopes: Set(words.compactMap(AccessScope.init)), createdAt: try row.timestamp("created_at"),
            expiresAt: try row.timestamp("expires_at"), lastUsedAt: try row.optionalTimestamp("last_used_at"))
    }
}
