package import Database
package import Domain

/// The rows of users, and beside each the hash of its password.
package struct UserStore: Sendable {
    package init() {}

    package func insert(_ user: User, passwordHash: String, in transaction: any SQLTransaction) async throws {
        do {
            try await transaction.execute(
                """
                INSERT INTO app_user (id, email, name, role, password_hash, created_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                [
                    SQLValue(user.id), .text(user.email.text), .text(user.name), .text(user.role.rawValue),
                    .text(passwordHash), SQLValue(user.createdAt),
                ])
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw ServiceError(
                .alreadyExists, "there is an account with this e-mail address already", field: "email",
                rule: "email-taken", nextStep: "Log in instead.", cause: error)
        }
    }

    package func find(_ id: UserID, in transaction: any SQLTransaction) async throws -> User? {
        try await transaction.query("SELECT * FROM app_user WHERE id = $1", [SQLValue(id)]).first.map(Self.user)
    }

    /// What these users are called, 1,000 at most; who is not there is left out.
    package func names(of ids: some Sequence<UserID>) -> SQLQuery<[UserID: String]> {
        .texts("name", of: "app_user", among: ids)
    }

    /// The user who logs in with this address, and the hash to compare the password with.
    package func find(
        email: EmailAddress, in transaction: any SQLTransaction
    ) async throws -> (user: User, passwordHash: String)? {
        try await transaction.query("SELECT * FROM app_user WHERE email = $1", [.text(email.text)]).first.map {
            (try Self.user($0), try $0.text("password_hash"))
        }
    }

    /// Newest first; `word`, in small letters, must be in the name or in the address.
    package func list(
        matching word: String = "", page request: PageRequest, in transaction: any SQLTransaction
    ) async throws -> Page<User> {
        let rows = try await transaction.query(
            """
            SELECT * FROM app_user WHERE id < $1
                AND ($2 = '' OR LOWER(name) LIKE $3 ESCAPE '!' OR email LIKE $3 ESCAPE '!')
            ORDER BY id DESC LIMIT $4
            """,
            [
                .text(request.identifierCursor), .text(word), .text(PatternText.containing(word)),
                SQLValue(request.limit + 1),
            ])
        return try page(of: rows, limit: request.limit, cursor: "id", Self.user)
    }

    /// How many admins can log in.
    package func countAdmins(in transaction: any SQLTransaction) async throws -> Int {
        Int(
            try await transaction.query(
                "SELECT COUNT(*) AS number FROM app_user WHERE role = 'admin' AND disabled_at IS NULL"
            )[0].integer("number"))
    }

    /// Writes name, address, role and whether they may log in.
    package func save(_ user: User, in transaction: any SQLTransaction) async throws {
        do {
            try await transaction.execute(
                "UPDATE app_user SET name = $2, email = $3, role = $4, disabled_at = $5 WHERE id = $1",
                [
                    SQLValue(user.id), .text(user.name), .text(user.email.text), .text(user.role.rawValue),
                    SQLValue(user.disabledAt),
                ])
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw ServiceError(
                .alreadyExists, "there is an account with this e-mail address already", field: "email",
                rule: "email-taken", nextStep: "Use another address.", cause: error)
        }
    }

    package func passwordHash(of id: UserID, in transaction: any SQLTransaction) async throws -> String? {
        try await transaction.query("SELECT password_hash FROM app_user WHERE id = $1", [SQLValue(id)]).first?
            .text("password_hash")
    }

    /// Whether nobody has an account yet.
    package func isEmpty(in transaction: any SQLTransaction) async throws -> Bool {
        try await transaction.query("SELECT id FROM app_user LIMIT 1").isEmpty
    }

    /// Puts `hash` in the place of `old`; returns `false`, and does nothing, when somebody else was quicker.
    @discardableResult
    package func replacePasswordHash(
        of id: UserID, _ old: String, by hash: String, in transaction: any SQLTransaction
    ) async throws -> Bool {
        try await transaction.execute(
            "UPDATE app_user SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            [SQLValue(id), .text(old), .text(hash)]) == 1
    }

    private static func user(_ row: SQLRow) throws -> User {
        User(
            id: try row.identifier("id"), email: try EmailAddress(try row.text("email")), name: try row.text("name"),
            role: try row.word("role"), createdAt: try row.timestamp("created_at"),
            disabledAt: try row.optionalTimestamp("disabled_at"))
    }
}
