package import Database

/// The tables, in portable SQL: every statement runs on SQLite 3.40 and on PostgreSQL 15 as it stands.
package enum Schema {
    package static let migrations = [
        Migration(number: 1, name: "accounts", statements: AccountsSchema.statements),
        Migration(number: 2, name: "main job", statements: mainJob),
        Migration(number: 3, name: "answers beside effects", statements: AccountsSchema.answersBesideEffects),
        Migration(number: 4, name: "audit", statements: AuditSchema.statements),
        Migration(number: 5, name: "coordination", statements: CoordinationSchema.statements),
        Migration(number: 6, name: "blob collection", statements: blobCollection),
        Migration(number: 7, name: "presence", statements: PresenceSchema.statements),
        Migration(number: 8, name: "conversations and guardrails", statements: ConversationSchema.statements),
        Migration(number: 9, name: "engines", statements: EnginesSchema.statements),
        Migration(number: 10, name: "generation", statements: GenerationSchema.statements),
        Migration(number: 11, name: "profiles", statements: AccountsSchema.profiles),
        Migration(number: 12, name: "operations", statements: OperationsSchema.statements),
        Migration(number: 13, name: "address rules", statements: addressRules),
        Migration(number: 14, name: "tries side by side", statements: triesSideBySide),
        Migration(number: 15, name: "page checks", statements: PageChecksSchema.statements),
        Migration(number: 16, name: "tries of a talk", statements: triesOfATalk),
    ]

    private static let mainJob = [
        "CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        // Sequences that must grow in the order of the commits; taking a number locks the row until the commit.
        "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
        "INSERT INTO counter (name, value) VALUES ('event', 0)",
        """
        CREATE TABLE site (
            id TEXT NOT NULL PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES app_user(id), slug TEXT NOT NULL,
            name TEXT NOT NULL, kind TEXT NOT NULL, live BIGINT, preview BIGINT, previous BIGINT, last_version BIGINT,
            last_release BIGINT NOT NULL, fence BIGINT NOT NULL, maintenance TEXT, created_at BIGINT NOT NULL,
            deleted_at BIGINT)
        """,
        "CREATE UNIQUE INDEX site_slug ON site(slug) WHERE deleted_at IS NULL",
        "CREATE INDEX site_owner ON site(owner_id, id)",
        """
        CREATE TABLE site_domain (
            name TEXT NOT NULL PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX site_domain_site ON site_domain(site_id)",
        """
        CREATE TABLE version (
            site_id TEXT NOT NULL REFERENCES site(id), number BIGINT NOT NULL, digest TEXT NOT NULL, parent BIGINT,
            origin TEXT NOT NULL, template TEXT, edit_id TEXT, job_id TEXT, engine TEXT, author_id TEXT NOT NULL,
            summary TEXT NOT NULL, files BIGINT NOT NULL, size_bytes BIGINT NOT NULL, findings TEXT NOT NULL,
            signature BYTEA NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (site_id, number))
        """,
        // What a check read from one file; depends on its bytes and its type alone.
        """
        CREATE TABLE file_facts (
            digest TEXT NOT NULL, kind TEXT NOT NULL, facts BYTEA NOT NULL, PRIMARY KEY (digest, kind))
        """,
        """
        CREATE TABLE release (
            site_id TEXT NOT NULL REFERENCES site(id), number BIGINT NOT NULL, version BIGINT NOT NULL,
            replaced BIGINT, released_by TEXT NOT NULL, released_at BIGINT NOT NULL, PRIMARY KEY (site_id, number))
        """,
        """
        CREATE TABLE edit (
            id TEXT NOT NULL PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), author_id TEXT NOT NULL,
            prompt TEXT NOT NULL, engine TEXT NOT NULL, base_version BIGINT NOT NULL, base_chosen BIGINT NOT NULL, job_id TEXT NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX edit_site ON edit(site_id, id)",
        "CREATE INDEX version_digest ON version(site_id, digest)",
        "CREATE UNIQUE INDEX edit_job ON edit(job_id)",
        """
        CREATE TABLE job (
            id TEXT NOT NULL PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), kind TEXT NOT NULL,
            priority BIGINT NOT NULL, state TEXT NOT NULL, attempt BIGINT NOT NULL, losses BIGINT NOT NULL,
            cancel_requested_at BIGINT, step TEXT NOT NULL, progress BIGINT NOT NULL, host_id TEXT,
            lease_token TEXT, lease_fence BIGINT, lease_expires_at BIGINT, accepted_at BIGINT, version BIGINT,
            failure_kind TEXT, failure_code TEXT, failure_message TEXT, summary TEXT NOT NULL, findings TEXT NOT NULL,
            uncached_input_tokens BIGINT NOT NULL, cached_input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX job_one_active_per_site ON job(site_id) WHERE state IN ('ready', 'leased')",
        "CREATE INDEX job_state ON job(state, id)",
        "CREATE INDEX job_site ON job(site_id, id)",
        """
        CREATE TABLE job_log (
            job_id TEXT NOT NULL REFERENCES job(id), number BIGINT NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (job_id, number))
        """,
        """
        CREATE TABLE host (
            id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL, state TEXT NOT NULL,
            agent_version TEXT NOT NULL, session_epoch BIGINT NOT NULL, certificate_serial TEXT NOT NULL,
            pending_serial TEXT, certificate_expires_at BIGINT NOT NULL, last_seen_at BIGINT,
            created_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE invitation (
            secret_hash TEXT NOT NULL PRIMARY KEY, roles TEXT NOT NULL, created_by TEXT NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT, host_id TEXT)
        """,
        """
        CREATE TABLE desired_site (
            host_id TEXT NOT NULL REFERENCES host(id), site_id TEXT NOT NULL REFERENCES site(id),
            generation BIGINT NOT NULL, removed BIGINT NOT NULL, state TEXT NOT NULL,
            applied_generation BIGINT NOT NULL, error TEXT, fetched_files BIGINT NOT NULL,
            fetched_bytes BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (host_id, site_id))
        """,
        "CREATE INDEX desired_site_site ON desired_site(site_id)",
        "CREATE INDEX desired_site_pending ON desired_site(host_id) WHERE state = 'pending'",
        """
        CREATE TABLE event (
            id BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, owner_id TEXT, site_id TEXT, body TEXT NOT NULL,
            at BIGINT NOT NULL)
        """,
        "CREATE INDEX event_owner ON event(owner_id, id)",
    ]

    private static let triesSideBySide = [
        "ALTER TABLE job ADD COLUMN trial TEXT",
        // Tries at one request share the line of their site; the transaction that lets one in holds the site's row.
        "DROP INDEX job_one_active_per_site",
        """
        CREATE UNIQUE INDEX job_one_active_per_site ON job(site_id)
            WHERE state IN ('ready', 'leased') AND trial IS NULL
        """,
        "CREATE INDEX job_active_of_site ON job(site_id) WHERE state IN ('ready', 'leased')",
    ]

    private static let triesOfATalk = [
        // Each grant asks which tries came last in a talk; most talks have none, however long they are.
        "CREATE INDEX edit_tries ON edit(conversation_id, id) WHERE variant_group IS NOT NULL",
        // Each end of a job asks who is next in the line of its site, not in all lines.
        "CREATE INDEX job_queued_of_site ON job(site_id, priority DESC, id) WHERE state = 'queued'",
    ]

    private static let addressRules = [
        "ALTER TABLE site ADD COLUMN address_mode TEXT NOT NULL DEFAULT 'pages'",
        "ALTER TABLE site ADD COLUMN missing_page TEXT NOT NULL DEFAULT '404.html'",
    ]

    private static let blobCollection = [
        // What a garbage collection is about to delete; no version may be made of it.
        """
        CREATE TABLE condemned_blob (
            digest TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, condemned_at BIGINT NOT NULL)
        """,
        "CREATE INDEX condemned_blob_run ON condemned_blob(run)",
        "INSERT INTO counter (name, value) VALUES ('blob-sweep', 0)",
    ]
}
