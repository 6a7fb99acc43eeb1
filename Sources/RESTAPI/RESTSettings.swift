/// Where and how the API listens.
package struct RESTSettings: Sendable {
    package var address: String
    /// 0 for any that is free.
    package var port: Int
    /// Where uploads lie while they are worked on.
    package var uploadFolder: String
    package var uploadLimitInBytes: Int64
    /// Whether a proxy in front says in `X-Forwarded-For` who asks. Without a proxy that would let clients lie.
    package var trustsForwardedFor: Bool
    package var maximumConnections: Int
    package var heartbeatInterval: Duration
    /// The version of the program, for the OpenAPI document.
    package var version: String

    package init(
        address: String = "127.0.0.1", port: Int = 8085, uploadFolder: String, uploadLimitInBytes: Int64 = 1 << 30,
        trustsForwardedFor: Bool = false, maximumConnections: Int = 2000, heartbeatInterval: Duration = .seconds(15),
        version: String = "0.1.0"
    ) {
        self.address = address
        self.port = port
        self.uploadFolder = uploadFolder
        self.uploadLimitInBytes = uploadLimitInBytes
        self.trustsForwardedFor = trustsForwardedFor
        self.maximumConnections = maximumConnections
        self.heartbeatInterval = heartbeatInterval
        self.version = version
    }
}
