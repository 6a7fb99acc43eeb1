/// The tables of what operators do: hosts' labels and upgrades, placement, roll-outs, backups. Columns are added only,
/// and may be NULL, so that coordinators of the version before go on beside this one.
package enum OperationsSchema {
    package static let statements: [String] = [
        "ALTER TABLE host ADD COLUMN quarantined BIGINT",
        "ALTER TABLE host ADD COLUMN labels TEXT",
        "ALTER TABLE host ADD COLUMN credential_use TEXT",
        "ALTER TABLE host ADD COLUMN upgrade_order TEXT",
        "ALTER TABLE host ADD COLUMN upgrade_version TEXT",
        "ALTER TABLE host ADD COLUMN certificate_issuer TEXT",
        // A row only for a site that has a policy of its own.
        """
        CREATE TABLE site_placement (
            site_id TEXT NOT NULL PRIMARY KEY REFERENCES site(id), copies BIGINT, selector TEXT NOT NULL, spread TEXT,
            leaves_draining BIGINT NOT NULL, lost_after_ms BIGINT, updated_at BIGINT NOT NULL)
        """,
        // A version that is on its way to all hosts before one of them shows it.
        """
        CREATE TABLE prepared_release (
            site_id TEXT NOT NULL PRIMARY KEY REFERENCES site(id), version BIGINT NOT NULL, token TEXT NOT NULL,
            expires_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE rollout (
            id TEXT NOT NULL PRIMARY KEY, target TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
            starts_at BIGINT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, finished_at BIGINT)
        """,
        """
        CREATE TABLE rollout_member (
            rollout_id TEXT NOT NULL REFERENCES rollout(id), host_id TEXT NOT NULL, position BIGINT NOT NULL,
            wave BIGINT NOT NULL, state TEXT NOT NULL, previous_version TEXT NOT NULL, epoch_before BIGINT NOT NULL,
            since BIGINT, detail TEXT NOT NULL, tasks TEXT NOT NULL, PRIMARY KEY (rollout_id, host_id))
        """,
        // What hosts said of their orders and of themselves; the newest word of each.
        """
        CREATE TABLE host_word (
            host_id TEXT NOT NULL PRIMARY KEY REFERENCES host(id), upgrade_order TEXT, upgrade_outcome TEXT,
            upgrade_detail TEXT, level BIGINT NOT NULL, problem TEXT NOT NULL, drained BIGINT NOT NULL,
            epoch BIGINT NOT NULL)
        """,
        """
        CREATE TABLE backup_run (
            id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, good BIGINT NOT NULL, started_at BIGINT NOT NULL,
            finished_at BIGINT NOT NULL, place TEXT NOT NULL, name TEXT NOT NULL, size_bytes BIGINT NOT NULL,
            rows_kept BIGINT NOT NULL, blobs BIGINT NOT NULL, detail TEXT NOT NULL)
        """,
    ]
}
