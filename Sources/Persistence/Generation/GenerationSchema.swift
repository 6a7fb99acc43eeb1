/// The tables of sites made from a brief.
package enum GenerationSchema {
    package static let statements: [String] = [
        """
        CREATE TABLE generation (
            id TEXT NOT NULL PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), author_id TEXT NOT NULL,
            engine TEXT NOT NULL, brief TEXT NOT NULL, reviews_plan BIGINT NOT NULL, plan TEXT,
            plan_approved BIGINT NOT NULL, job_id TEXT NOT NULL, progress BIGINT NOT NULL, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL)
        """,
        // A site is generated once; later changes are edits.
        "CREATE UNIQUE INDEX generation_site ON generation(site_id)",
        """
        CREATE TABLE generation_step (
            generation_id TEXT NOT NULL REFERENCES generation(id), name TEXT NOT NULL, page TEXT NOT NULL,
            round BIGINT NOT NULL, number BIGINT NOT NULL, job_id TEXT NOT NULL, input TEXT NOT NULL,
            output TEXT NOT NULL, uncached_input_tokens BIGINT NOT NULL, cached_input_tokens BIGINT NOT NULL,
            output_tokens BIGINT NOT NULL, milliseconds BIGINT NOT NULL, done_at BIGINT NOT NULL,
            PRIMARY KEY (generation_id, name, page, round))
        """,
    ]
}
