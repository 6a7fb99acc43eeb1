/// The tables of engines: how they ask models, what that cost, and what the models said.
enum EnginesSchema {
    static let statements: [String] = [
        // The key is sealed with AES-256-GCM; what opens it is a file beside the database, never in it.
        """
        CREATE TABLE engine_setting (
            engine TEXT NOT NULL PRIMARY KEY, enabled BIGINT NOT NULL, provider TEXT NOT NULL, base_url TEXT NOT NULL,
            small_model TEXT, large_model TEXT NOT NULL, answer_timeout_ms BIGINT NOT NULL, time_limit_ms BIGINT NOT NULL,
            input_price BIGINT NOT NULL, cached_price BIGINT NOT NULL, output_price BIGINT NOT NULL, sealed_key TEXT,
            key_hint TEXT, updated_at BIGINT NOT NULL)
        """,
        "CREATE TABLE budget (scope TEXT NOT NULL PRIMARY KEY, tokens BIGINT, money BIGINT, minutes BIGINT)",
        """
        CREATE TABLE token_ledger (
            job_id TEXT NOT NULL REFERENCES job(id), attempt BIGINT NOT NULL, site_id TEXT NOT NULL REFERENCES site(id),
            owner_id TEXT NOT NULL, engine TEXT NOT NULL, model TEXT NOT NULL, uncached_input_tokens BIGINT NOT NULL,
            cached_input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL, money BIGINT NOT NULL,
            seconds BIGINT NOT NULL, charged BIGINT NOT NULL, from_cache BIGINT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (job_id, attempt))
        """,
        "CREATE INDEX token_ledger_site ON token_ledger(site_id, at)",
        "CREATE INDEX token_ledger_owner ON token_ledger(owner_id, at)",
        """
        CREATE TABLE job_transcript (
            job_id TEXT NOT NULL PRIMARY KEY REFERENCES job(id), body BYTEA NOT NULL, size_bytes BIGINT NOT NULL,
            at BIGINT NOT NULL)
        """,
        "CREATE INDEX job_transcript_at ON job_transcript(at)",
        """
        CREATE TABLE response_cache (
            key TEXT NOT NULL PRIMARY KEY, job_id TEXT NOT NULL REFERENCES job(id), used_at BIGINT NOT NULL)
        """,
        "CREATE INDEX response_cache_used ON response_cache(used_at)",
        "CREATE INDEX response_cache_job ON response_cache(job_id)",
        "ALTER TABLE site ADD COLUMN engine TEXT",
        "ALTER TABLE edit ADD COLUMN replay_of TEXT",
        "ALTER TABLE edit ADD COLUMN fresh BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE job ADD COLUMN model TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE job ADD COLUMN from_cache BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE job ADD COLUMN failure_marks TEXT NOT NULL DEFAULT ''",
    ]
}
