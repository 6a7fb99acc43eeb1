/// The tables of users, their log-in sessions, and of answers that are given twice.
package enum AccountsSchema {
    package static let statements: [String] = [
        """
        CREATE TABLE app_user (
            id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
            password_hash TEXT NOT NULL, created_at BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX app_user_email ON app_user(email)",
        // One row per log-in: the family of all refresh tokens that grew out of it.
        """
        CREATE TABLE login_session (
            id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL REFERENCES app_user(id), created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL, ended_at BIGINT)
        """,
        "CREATE INDEX login_session_user ON login_session(user_id)",
        // Used tokens stay until their session goes, so that a second use is noticed.
        """
        CREATE TABLE refresh_token (
            hash TEXT NOT NULL PRIMARY KEY, session_id TEXT NOT NULL REFERENCES login_session(id),
            expires_at BIGINT NOT NULL, used_at BIGINT)
        """,
        "CREATE INDEX refresh_token_session ON refresh_token(session_id)",
        // A row without a status is a request that is being worked on.
        """
        CREATE TABLE idempotency_key (
            user_id TEXT NOT NULL REFERENCES app_user(id), operation TEXT NOT NULL, key TEXT NOT NULL,
            fingerprint TEXT NOT NULL, attempt TEXT NOT NULL, status BIGINT, content_type TEXT, body BYTEA,
            expires_at BIGINT NOT NULL, PRIMARY KEY (user_id, operation, key))
        """,
        "CREATE INDEX idempotency_key_expiry ON idempotency_key(expires_at)",
    ]

    /// A key and its answer are written with the effect: a row without an answer tells of nothing that was done.
    package static let answersBesideEffects: [String] = [
        "DELETE FROM idempotency_key WHERE status IS NULL",
        "ALTER TABLE idempotency_key DROP COLUMN attempt",
    ]

    /// What people do with their accounts and what admins do with people; names and pins of versions.
    package static let profiles: [String] = [
        "ALTER TABLE app_user ADD COLUMN disabled_at BIGINT",
        "ALTER TABLE login_session ADD COLUMN address TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE login_session ADD COLUMN agent TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE login_session ADD COLUMN used_at BIGINT",
        """
        CREATE TABLE personal_token (
            id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL REFERENCES app_user(id), name TEXT NOT NULL,
            hash TEXT NOT NULL, scopes TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            last_used_at BIGINT)
        """,
        "CREATE UNIQUE INDEX personal_token_hash ON personal_token(hash)",
        "CREATE INDEX personal_token_user ON personal_token(user_id, id)",
        // Beside the version, which never changes.
        """
        CREATE TABLE version_label (
            site_id TEXT NOT NULL REFERENCES site(id), number BIGINT NOT NULL, name TEXT NOT NULL,
            pinned BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (site_id, number))
        """,
    ]
}
