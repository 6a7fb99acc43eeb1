import Domain
import Logging
import Redis
import Telemetry

/// What `serve` needs to know, each value examined.
struct ServeSettings: Sendable {
    let folder: StateFolder
    let database: DatabaseSource
    /// `nil` when there is no Redis.
    let redis: RedisConfiguration?
    let listen: String
    let port: Int
    let agentsPort: Int
    let agentsAddress: String
    let sitesDomain: String
    let sitesPort: Int
    let trustsForwardedFor: Bool
    let logLevel: Logger.Level
    let logFormat: LogFormat
    let blobs: BlobSettings
    /// Zero when unused blobs are not deleted.
    let collectionEvery: Duration
    let collectionGrace: Duration
    let backups: BackupSettings
    let placement: PlacementPolicy
    let undoesLocalRollbacks: Bool
    /// How long a coordinator that is told to stop says so before it closes its ports.
    let shutdownNotice: Duration

    init(_ source: SettingSource) throws(ServiceError) {
        folder = try source.stateFolder()
        database = try source.database()
        if let address = source.text(.redis) {
            // Its own errors do not repeat a password that stands in it.
            redis = RedisConfiguration(
                address: try RedisAddress(address), password: try source.secret(.redisPassword))
        } else {
            redis = nil
        }
        listen = try source.requiredText(.listen)
        port = try source.port(.port)
        agentsPort = try source.port(.agentsPort)
        agentsAddress = source.text(.agentsAddress) ?? "\(listen):\(agentsPort)"
        // The installation's own domain: one label such as `localhost`, or a domain name.
        sitesDomain =
            try source.value(.sitesDomain, "is a domain name") { text in
                text == "localhost" ? text : try DomainName(text).text
            } ?? "localhost"
        sitesPort = try source.port(.sitesPort)
        trustsForwardedFor = try source.boolean(.trustForwardedFor)
        logLevel =
            try source.value(.logLevel, "is debug, info, notice, warning or error") { Logger.Level(rawValue: $0) }
            ?? .notice
        blobs = try BlobSettings(source)
        collectionEvery = try source.duration(.collectionEvery)
        collectionGrace = try source.duration(.collectionGrace)
        backups = try BackupSettings(source)
        placement = try Self.placement(source)
        undoesLocalRollbacks =
            try source.value(.rollbackLocal, "is reconcile or respect") { ["reconcile": true, "respect": false][$0] }
            ?? true
        shutdownNotice = try source.duration(.shutdownNotice)
        guard shutdownNotice <= .seconds(30) else { throw source.wrong(.shutdownNotice, "is at most 30s") }
        logFormat = try source.value(.logFormat, "is logfmt or json") { LogFormat(rawValue: $0) } ?? .logfmt
    }

    private static func placement(_ source: SettingSource) throws(ServiceError) -> PlacementPolicy {
        // 0 stands for all.
        let number = try source.value(.placementCopies, "is all, or a number of hosts from 1 to 100") { text in
            text == "all" ? 0 : Int(text).flatMap { (1...100).contains($0) ? $0 : nil }
        }
        let copies = number.flatMap { $0 == 0 ? nil : $0 }
        let lostAfter = try source.duration(.placementLostAfter)
        return try PlacementPolicy(
            copies: copies,
            selector: try source.value(.placementLabels, "are labels such as disk=fast") { try HostLabels($0) }
                ?? HostLabels.none,
            spread: source.text(.placementSpread), leavesDraining: try source.boolean(.placementLeaveDraining),
            lostAfter: lostAfter == .zero ? nil : lostAfter
        ).validated()
    }
}
