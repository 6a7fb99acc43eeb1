/// Every metric of Pagewright: its name, what it means, and what labels it has. Nothing is counted under another name.
package enum MetricName: String, Sendable, CaseIterable {
    case httpRequests = "pagewright_http_requests_total"
    case httpRequestSeconds = "pagewright_http_request_duration_seconds"
    case httpRequestsInProgress = "pagewright_http_requests_in_progress"
    case eventStreams = "pagewright_event_streams"
    case logins = "pagewright_logins_total"
    case jobs = "pagewright_jobs"
    case jobsFinished = "pagewright_jobs_finished_total"
    case jobSeconds = "pagewright_job_duration_seconds"
    case leasesGranted = "pagewright_leases_granted_total"
    case leasesLost = "pagewright_leases_lost_total"
    case leaseRenewals = "pagewright_lease_renewals_total"
    case staleWrites = "pagewright_stale_writes_refused_total"
    case grantSeconds = "pagewright_grant_duration_seconds"
    case grantWaitSeconds = "pagewright_grant_wait_seconds"
    case readyJobs = "pagewright_ready_jobs"
    case queueOldestSeconds = "pagewright_queue_oldest_age_seconds"
    case completions = "pagewright_completions_total"
    case versionsCreated = "pagewright_versions_created_total"
    case releases = "pagewright_releases_total"
    case agentSessions = "pagewright_agent_sessions"
    case stewardTerm = "pagewright_steward_term"
    case brakesEngaged = "pagewright_brake_engaged"
    case recovery = "pagewright_recovery"
    case certificatesIssued = "pagewright_certificates_issued_total"
    case blobBytesSent = "pagewright_blob_sent_bytes_total"
    case blobBytesReceived = "pagewright_blob_received_bytes_total"
    case queueDepth = "pagewright_queue_depth"
    case jobsTakenFromDatabase = "pagewright_jobs_taken_from_database_total"
    case databaseConnections = "pagewright_database_connections"
    case databaseWaiting = "pagewright_database_waiting_callers"
    case databaseWaitSeconds = "pagewright_database_connection_wait_seconds"
    case redisConnected = "pagewright_redis_connected"
    case redisCommandSeconds = "pagewright_redis_command_duration_seconds"
    case blobsCollected = "pagewright_blobs_collected_total"
    case blobBytesCollected = "pagewright_blob_collected_bytes_total"
    case s3Requests = "pagewright_s3_requests_total"
    case s3RequestSeconds = "pagewright_s3_request_duration_seconds"
    case s3Retries = "pagewright_s3_retries_total"
    case backupFinishedAt = "pagewright_backup_last_success_timestamp_seconds"
    case restoreProvenAt = "pagewright_restore_last_proven_timestamp_seconds"
    case metricSeriesRefused = "pagewright_metric_series_refused_total"

    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// Upper bounds of the buckets, in seconds or whatever the unit in the name is.
        case histogram([Double])
    }

    package var help: String { description.help }
    package var kind: Kind { description.kind }
    package var labels: [String] { description.labels }

    /// The values of the labels that can be told beforehand: each entry is one series.
    var knownLabelValues: [[String]] {
        switch self {
        case .staleWrites: [["completion"], ["renewal"], ["move"]]
        case .leasesLost:
            [["lease-expired"], ["database-moved"], ["unlocked"], ["host-revoked"], ["worker-restarted"]]
        default: labels.isEmpty ? [[]] : []
        }
    }

    private static let jobBuckets = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]
    private static let requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private var description: (help: String, kind: Kind, labels: [String]) {
        switch self {
        case .httpRequests:
            ("Requests answered, by method, route template and status.", .counter, ["method", "route", "status"])
        case .httpRequestSeconds:
            ("Time from the head of a request to the head of its answer.", .histogram(Self.requestBuckets), ["route"])
        case .httpRequestsInProgress: ("Requests being worked on.", .gauge, [])
        case .eventStreams: ("Open streams of server-sent events.", .gauge, [])
        case .logins: ("Attempts to log in, by outcome.", .counter, ["outcome"])
        case .jobs: ("Jobs that have not ended, by state.", .gauge, ["state"])
        case .jobsFinished: ("Jobs that came to an end, by state.", .counter, ["state"])
        case .jobSeconds: ("Time from the acceptance of a job to its end.", .histogram(Self.jobBuckets), ["state"])
        case .leasesGranted: ("Attempts given to workers.", .counter, [])
        case .leasesLost: ("Attempts taken back, by reason.", .counter, ["reason"])
        case .leaseRenewals: ("Leases that their hosts renewed.", .counter, [])
        case .staleWrites:
            ("Writes refused because their lease was over, by what was to be written.", .counter, ["write"])
        case .grantSeconds: ("Time that the transaction of a grant took.", .histogram(Self.requestBuckets), [])
        case .grantWaitSeconds: ("Time that a job was ready before it was granted.", .histogram(Self.jobBuckets), [])
        case .readyJobs: ("Jobs that are ready and wait for a worker, by engine.", .gauge, ["engine"])
        case .queueOldestSeconds: ("How long the longest waiting ready job waits, by engine.", .gauge, ["engine"])
        case .completions: ("Completions received from workers, by verdict.", .counter, ["verdict"])
        case .versionsCreated: ("Versions stored, by origin.", .counter, ["origin"])
        case .releases: ("Releases made.", .counter, [])
        case .backupFinishedAt: ("When the last good backup was finished, in seconds since 1970.", .gauge, [])
        case .restoreProvenAt: ("When a backup was last restored to prove that it can be.", .gauge, [])
        case .agentSessions: ("Agents that are connected.", .gauge, [])
        case .recovery: ("Whether the database may have forgotten something and changes are held back.", .gauge, [])
        case .brakesEngaged: ("Whether a brake holds something back until a person looks, by brake.", .gauge, ["brake"])
        case .stewardTerm: ("The term in which this coordinator is the steward; 0 when it is not.", .gauge, [])
        case .certificatesIssued: ("Certificates issued to agents.", .counter, [])
        case .blobBytesSent: ("Bytes of content sent to agents.", .counter, [])
        case .blobBytesReceived: ("Bytes of content received from agents.", .counter, [])
        case .queueDepth: ("Jobs in the queue for workers, by what the worker must be able to do.", .gauge, ["label"])
        case .jobsTakenFromDatabase: ("Jobs dispatched from the database, for want of a queue.", .counter, [])
        case .databaseConnections:
            (
                "Open connections to PostgreSQL, by what they are for and whether they are in use or idle.", .gauge,
                ["pool", "state"]
            )
        case .databaseWaiting:
            ("Callers that wait for a connection to PostgreSQL because all are in use.", .gauge, ["pool"])
        case .databaseWaitSeconds:
            (
                "Time that a caller waited for a connection to PostgreSQL, opening it included.",
                .histogram(Self.requestBuckets), ["pool"]
            )
        case .redisConnected: ("1 while Redis takes commands, 0 while it is out of reach.", .gauge, [])
        case .redisCommandSeconds: ("Time from a command to Redis to its answer.", .histogram(Self.requestBuckets), [])
        case .blobsCollected: ("Blobs deleted because nothing refers to them.", .counter, [])
        case .blobBytesCollected: ("Bytes of blobs deleted because nothing refers to them.", .counter, [])
        case .s3Requests:
            ("Requests to the S3 store, by operation and the status of the answer.", .counter, ["operation", "status"])
        case .s3RequestSeconds:
            ("Time of a request to the S3 store, its body included.", .histogram(Self.requestBuckets), ["operation"])
        case .s3Retries:
            ("Requests to the S3 store made again after a passing failure.", .counter, ["operation"])
        case .metricSeriesRefused: ("Label values that were counted as \"other\" for want of room.", .counter, [])
        }
    }
}
