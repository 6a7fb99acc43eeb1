/// The tables of what coordinators agree on.
package enum CoordinationSchema {
    package static let statements: [String] = [
        // One row: which coordinator does what only one may do.
        """
        CREATE TABLE steward (
            id BIGINT NOT NULL PRIMARY KEY, term BIGINT NOT NULL, holder TEXT NOT NULL, renewal BIGINT NOT NULL,
            expires_at BIGINT NOT NULL)
        """,
        "INSERT INTO steward (id, term, holder, renewal, expires_at) VALUES (1, 0, '', 0, 0)",
        // One row: which storage this database was last seen on, and whether grants are held back.
        """
        CREATE TABLE installation (
            id BIGINT NOT NULL PRIMARY KEY, mark TEXT NOT NULL, storage TEXT NOT NULL, incarnation BIGINT NOT NULL,
            recovery_since BIGINT, recovery_reason TEXT)
        """,
        "INSERT INTO installation (id, mark, storage, incarnation) VALUES (1, '', '', 0)",
        // What hosts said that they have and the database lacks.
        """
        CREATE TABLE recovery_find (
            host_id TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, site_id TEXT, number BIGINT NOT NULL,
            digest TEXT, found_at BIGINT NOT NULL, accepted_at BIGINT,
            PRIMARY KEY (host_id, kind, subject, number))
        """,
        """
        CREATE TABLE brake (
            name TEXT NOT NULL PRIMARY KEY, detail TEXT NOT NULL, engaged_at BIGINT NOT NULL, released_at BIGINT)
        """,
        "ALTER TABLE job ADD COLUMN owner_id TEXT",
        "UPDATE job SET owner_id = (SELECT owner_id FROM site WHERE site.id = job.site_id)",
        // The fair share of a user and the turn that is served now, each one step into an index.
        "CREATE INDEX job_owner_turn ON job(owner_id, priority)",
        "CREATE INDEX job_turn ON job(priority)",
        "CREATE INDEX job_state_turn ON job(state, priority DESC, id)",
    ]
}
