/// What `pagewright-agent status` shows, as it travels over the local socket (JSON, snake_case).
package struct AgentStatus: Sendable, Codable, Equatable {
    package enum Level: Int, Sendable, Codable, Comparable {
        case ok = 0
        case degraded = 1
        case bad = 2

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Something that is not as it should be, and what to do about it. One of level `ok` is a remark only.
    package struct Problem: Sendable, Codable, Equatable {
        package var level: Level
        package var message: String
        package var nextStep: String

        package init(level: Level, message: String, nextStep: String) {
            self.level = level
            self.message = message
            self.nextStep = nextStep
        }
    }

    package struct SiteLine: Sendable, Codable, Equatable {
        package var site: String
        package var generation: Int64
        /// The first 12 digits of the digest of what was applied.
        package var digest: String
        package var names: [String]
        /// `applied`, `pending` or `refused`.
        package var state: String
        package var problem: String?
        /// The version that visitors get; `nil` when there is none.
        package var version: Int?
        /// The version that the coordinator wants live, when somebody on this host chose another one.
        package var wantedVersion: Int?

        package init(
            site: String, generation: Int64, digest: String, names: [String], state: String, problem: String? = nil
        ) {
            self.site = site
            self.generation = generation
            self.digest = digest
            self.names = names
            self.state = state
            self.problem = problem
        }
    }

    package struct JobLine: Sendable, Codable, Equatable {
        package var job: String
        package var site: String
        package var engine: String
        package var step: String
        package var percent: Int

        package init(job: String, site: String, engine: String, step: String, percent: Int) {
            self.job = job
            self.site = site
            self.engine = engine
            self.step = step
            self.percent = percent
        }
    }

    /// The web server of a serving host.
    package struct NginxLine: Sendable, Codable, Equatable {
        /// The master process; `nil` while there is none.
        package var process: Int32?
        package var isAnswering: Bool
        /// Which configuration is in force. Sites come, change and go without a new one.
        package var configuration: Int
        /// How often a running nginx was told to read its configuration again.
        package var reloads: Int
        /// How often it was started again because it had ended on its own.
        package var restarts: Int
        /// Whom its workers run as; `nil` for the agent's own user.
        package var workerUser: String?

        package init(
            process: Int32?, isAnswering: Bool, configuration: Int, reloads: Int, restarts: Int, workerUser: String?
        ) {
            self.process = process
            self.isAnswering = isAnswering
            self.configuration = configuration
            self.reloads = reloads
            self.restarts = restarts
            self.workerUser = workerUser
        }
    }

    package var host: String
    package var name: String
    package var roles: [String]
    package var version: String
    package var coordinator: String
    /// Whether a session is open now.
    package var isConnected: Bool
    /// Milliseconds since 1970; `nil` when there never was contact.
    package var lastContactAt: Int64?
    package var certificateExpiresAt: Int64?
    package var diskFreeBytes: Int64
    package var diskTotalBytes: Int64
    package var sites: [SiteLine]
    package var jobs: [JobLine]
    /// `nil` on hosts that serve nothing.
    package var nginx: NginxLine?
    /// Whether somebody on this host asked for no new jobs.
    package var isDrained: Bool?
    package var problems: [Problem]

    package init(host: String, name: String, roles: [String], version: String, coordinator: String) {
        self.host = host
        self.name = name
        self.roles = roles
        self.version = version
        self.coordinator = coordinator
        isConnected = false
        diskFreeBytes = 0
        diskTotalBytes = 0
        sites = []
        jobs = []
        problems = []
    }

    /// The worst of the problems; it is the exit code of `status`.
    package var level: Level { problems.map(\.level).max() ?? .ok }
}
