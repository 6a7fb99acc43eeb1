/// The tables of conversations, of plans and tries, and of what the guardrails keep.
package enum ConversationSchema {
    package static let statements: [String] = [
        """
        CREATE TABLE conversation (
            id TEXT NOT NULL PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), title TEXT NOT NULL,
            started_by TEXT NOT NULL, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX conversation_site ON conversation(site_id, id)",
        "ALTER TABLE edit ADD COLUMN conversation_id TEXT",
        "ALTER TABLE edit ADD COLUMN mode TEXT NOT NULL DEFAULT 'change'",
        "ALTER TABLE edit ADD COLUMN plan_id TEXT",
        // Paths, one a line.
        "ALTER TABLE edit ADD COLUMN planned_files TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE edit ADD COLUMN variant_group TEXT",
        "ALTER TABLE edit ADD COLUMN variant BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE edit ADD COLUMN variants BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX edit_conversation ON edit(conversation_id, id)",
        // What an edit made of the site, also when it was refused.
        """
        CREATE TABLE change_review (
            job_id TEXT NOT NULL PRIMARY KEY REFERENCES job(id), site_id TEXT NOT NULL, digest TEXT NOT NULL,
            changed BIGINT NOT NULL, total BIGINT NOT NULL, outside BIGINT NOT NULL, summary TEXT NOT NULL,
            version BIGINT, created_at BIGINT NOT NULL)
        """,
        // Files that no edit may touch.
        """
        CREATE TABLE site_lock (
            site_id TEXT NOT NULL REFERENCES site(id), pattern TEXT NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (site_id, pattern))
        """,
    ]
}
