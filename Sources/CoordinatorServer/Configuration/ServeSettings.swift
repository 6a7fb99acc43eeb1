import Domain
import Logging
import Redis
import Telemetry

/// What `serve` needs to know, each value examined.
struct ServeSettings: Sendable {
    let folder: StateFolder
    /// `nil` when there is no Redis.
    let redis: RedisConfiguration?
    let listen: String
    let port: Int
    let agentsPort: Int
    let agentsAddress: String
    let sitesDomain: String
    let sitesPort: Int
    let logLevel: Logger.Level
    let logFormat: LogFormat
    let blobs: BlobSettings
    /// Zero when unused blobs are not deleted.
    let collectionEvery: Duration
    let collectionGrace: Duration

    init(_ source: SettingSource) throws(ServiceError) {
        folder = try source.stateFolder()
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
        logLevel =
            try source.value(.logLevel, "is debug, info, notice, warning or error") { Logger.Level(rawValue: $0) }
            ?? .notice
        blobs = try BlobSettings(source)
        collectionEvery = try source.duration(.collectionEvery)
        collectionGrace = try source.duration(.collectionGrace)
        logFormat = try source.value(.logFormat, "is logfmt or json") { LogFormat(rawValue: $0) } ?? .logfmt
    }
}
