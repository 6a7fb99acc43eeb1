/// Something that an operator can set, under one name in three places: `agents.port` in the file,
/// `PAGEWRIGHT_AGENTS_PORT` in the environment, `--agents-port` on the command line.
struct Setting: Hashable, Sendable {
    /// Words in lower case, joined by dots and hyphens.
    let name: String
    /// What it means, for the example file and the documentation.
    let help: String
    /// What holds when nobody says anything; `nil` when there is none.
    let standard: String?
    /// A secret comes from the environment or from a file of its own, never from the command line, and is never shown.
    let isSecret: Bool

    private init(_ name: String, _ help: String, standard: String? = nil, isSecret: Bool = false) {
        self.name = name
        self.help = help
        self.standard = standard
        self.isSecret = isSecret
    }

    var flag: String { "--" + name.replacing(".", with: "-") }

    var variable: String {
        "PAGEWRIGHT_" + String(name.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// For secrets: the setting that names a file with the value in it.
    var fileSetting: String { name + "-file" }

    static let state = Setting("state", "The folder that holds everything the coordinator keeps by itself.")
    static let database = Setting(
        "database",
        "Where the truth is kept: postgres://USER@HOST/NAME or sqlite:PATH; without it SQLite in the state folder.")
    static let databasePassword = Setting(
        "database-password", "The password for PostgreSQL, kept out of its address.", isSecret: true)
    static let secrets = Setting(
        "secrets", "The folder with the keys that several coordinators share; without it they are in the state folder.")
    static let redis = Setting(
        "redis",
        "Redis, for several coordinators: redis://[user@]host:6379/0, rediss://, redis+unix:///path, or sentinels.")
    static let redisPassword = Setting("redis-password", "The password for Redis.", isSecret: true)
    static let listen = Setting("listen", "The address to listen on.", standard: "127.0.0.1")
    static let port = Setting("port", "The port of the REST API and the pages; 0 picks a free one.", standard: "8085")
    static let agentsPort = Setting("agents.port", "The port for agents; 0 picks a free one.", standard: "8443")
    static let agentsAddress = Setting(
        "agents.address", "Where agents reach this coordinator, host:port; for the commands that it prints.")
    static let sitesDomain = Setting(
        "sites.domain", "Sites answer at <slug>.<sites domain>.", standard: "localhost")
    static let sitesPort = Setting("sites.port", "The port in the addresses of sites.", standard: "8080")
    static let trustForwardedFor = Setting(
        "trust.forwarded-for", "Whether a proxy in front is believed, which says in X-Forwarded-For who asks.",
        standard: "false")
    static let logLevel = Setting(
        "log.level", "The least that is logged: debug, info, notice, warning or error.", standard: "notice")
    static let logFormat = Setting("log.format", "How the log looks: logfmt or json.", standard: "logfmt")

    static let blobs = Setting(
        "blobs",
        "Where the content of all versions is: directory, directory:PATH or s3://bucket/prefix?endpoint=…&region=….",
        standard: "directory")
    static let s3Credentials = Setting(
        "s3.credentials", "A file with the keys for S3, as Amazon's tools write it; instead of the next three.")
    static let s3AccessKey = Setting("s3.access-key", "The access key for S3.", isSecret: true)
    static let s3SecretKey = Setting("s3.secret-key", "The secret key for S3.", isSecret: true)
    static let s3SessionToken = Setting(
        "s3.session-token", "The session token for S3, if there is one.", isSecret: true)
    static let s3Presigned = Setting(
        "s3.presigned",
        "Whether hosts read content from S3 themselves, by addresses that are signed for a quarter of an hour.",
        standard: "false")
    static let collectionEvery = Setting(
        "collection.every", "How often unused blobs are deleted, such as 24h; 0 is never.", standard: "24h")
    static let collectionGrace = Setting(
        "collection.grace", "How old an unused blob must be before it is deleted, such as 7d or 30m.", standard: "7d")

    static let backupTo = Setting(
        "backup.to", "Where backups go: a folder on another disk, or s3://bucket/prefix?endpoint=…&region=….")
    static let backupEvery = Setting(
        "backup.every", "How often a backup is made, such as 24h; 0 is never.", standard: "0")
    static let backupDrillEvery = Setting(
        "backup.drill-every",
        "How often the newest backup is restored to prove that it can be, such as 7d; 0 is never.",
        standard: "0")
    static let backupBlobs = Setting(
        "backup.blobs", "What of the content of versions is in a backup: list or copy.", standard: "list")
    static let backupKeep = Setting("backup.keep", "How old a backup becomes, such as 30d.", standard: "30d")
    static let backupPassphrase = Setting(
        "backup.passphrase", "What opens the backups; keep a copy somewhere else.", isSecret: true)

    static let placementCopies = Setting(
        "placement.copies", "On how many serving hosts a site is: all, or a number.", standard: "all")
    static let placementLabels = Setting(
        "placement.labels", "Only hosts with these labels have sites: key=value,key=value.")
    static let placementSpread = Setting(
        "placement.spread", "The label whose values the copies of a site shall differ in, such as zone.")
    static let placementLeaveDraining = Setting(
        "placement.leave-draining", "Whether the sites of a drained host go elsewhere.", standard: "false")
    static let placementLostAfter = Setting(
        "placement.lost-after", "How long a host may be away until its sites go elsewhere, such as 1h; 0 is for ever.",
        standard: "0")
    static let rollbackLocal = Setting(
        "rollback.local",
        "What becomes of a roll-back made on a host: reconcile undoes it, respect lets it be until the next release.",
        standard: "reconcile")
    static let shutdownNotice = Setting(
        "shutdown.notice",
        "How long /readyz says that this coordinator stops before it does, such as 10s, for what spreads requests.",
        standard: "0")

    static let all = [
        state, secrets, database, databasePassword, redis, redisPassword, blobs, s3Credentials, s3AccessKey,
        s3SecretKey, s3SessionToken, s3Presigned, collectionEvery, collectionGrace, listen, port, agentsPort,
        agentsAddress, sitesDomain, sitesPort, trustForwardedFor, logLevel, logFormat, backupTo, backupEvery,
        backupDrillEvery, backupBlobs, backupKeep, backupPassphrase, placementCopies, placementLabels, placementSpread,
        placementLeaveDraining, placementLostAfter, rollbackLocal, shutdownNotice,
    ]
}
