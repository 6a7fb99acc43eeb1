/// The tables of what browsers saw of versions.
package enum PageChecksSchema {
    package static let statements: [String] = [
        // Which checks ran; while it waits, which worker may say so.
        """
        CREATE TABLE version_check (
            site_id TEXT NOT NULL REFERENCES site(id), number BIGINT NOT NULL, job_id TEXT NOT NULL,
            attempt BIGINT NOT NULL, lease_token TEXT NOT NULL, fence BIGINT NOT NULL, host_id TEXT NOT NULL,
            waits_until BIGINT NOT NULL, finished_at BIGINT, checks TEXT NOT NULL, PRIMARY KEY (site_id, number))
        """,
        "CREATE INDEX version_check_job ON version_check(job_id)",
        // The bytes are blobs.
        """
        CREATE TABLE version_picture (
            site_id TEXT NOT NULL REFERENCES site(id), number BIGINT NOT NULL, position BIGINT NOT NULL,
            page TEXT NOT NULL, kind TEXT NOT NULL, width BIGINT NOT NULL, height BIGINT NOT NULL,
            format TEXT NOT NULL, digest TEXT NOT NULL, size_bytes BIGINT NOT NULL, changes TEXT,
            taken_of BIGINT NOT NULL, PRIMARY KEY (site_id, number, position))
        """,
        "CREATE INDEX version_picture_digest ON version_picture(digest)",
    ]
}
