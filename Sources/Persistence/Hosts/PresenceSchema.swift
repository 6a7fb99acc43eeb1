/// The tables that say which coordinators live, and which of them has the session of each host.
package enum PresenceSchema {
    package static let statements: [String] = [
        // A coordinator that lives counts its pulse up; `seen_at` is for people.
        "CREATE TABLE coordinator (name TEXT NOT NULL PRIMARY KEY, pulse BIGINT NOT NULL, seen_at BIGINT NOT NULL)",
        """
        CREATE TABLE host_session (
            host_id TEXT NOT NULL PRIMARY KEY, coordinator TEXT NOT NULL, epoch BIGINT NOT NULL,
            is_worker BIGINT NOT NULL, engines TEXT NOT NULL, slots BIGINT NOT NULL, is_draining BIGINT NOT NULL,
            disk_free BIGINT, disk_total BIGINT)
        """,
        "CREATE INDEX host_session_coordinator ON host_session(coordinator)",
        // The page of a user's jobs, newest first.
        "CREATE INDEX job_owner ON job(owner_id, id)",
    ]
}
