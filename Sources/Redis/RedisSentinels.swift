import NIOSSL

/// Servers that know where the master is.
struct RedisSentinels: Sendable {
    let endpoints: [RedisEndpoint]
    let master: String
    let configuration: RedisConfiguration
    let tls: NIOSSLContext?

    /// Asks one after the other; the first that knows a master wins. Throws what the last one said.
    func findMaster() async throws -> RedisEndpoint {
        var failure: any Error = RedisError.notConnected
        for endpoint in endpoints.shuffled() {
            do {
                return try await ask(endpoint)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func ask(_ endpoint: RedisEndpoint) async throws -> RedisEndpoint {
        let connection = try await RedisConnection.open(to: endpoint, configuration: configuration, tls: tls)
        defer { connection.close() }
        let question = RedisCommand(["SENTINEL", "get-master-addr-by-name", master])
        let reply: RedisReply
        do {
            reply = try await connection.send(question)
        } catch RedisError.refused(let words) where words.hasPrefix("NOAUTH") && configuration.password != nil {
            try await connection.authenticate(configuration)
            reply = try await connection.send(question)
        }
        guard case .list(let words) = reply, words.count == 2, let host = words[0].text, !host.isEmpty,
            let port = words[1].text.flatMap({ Int($0) }), (1...65_535).contains(port)
        else { throw RedisError.refused("the sentinel \(endpoint) knows no master \(master)") }
        return .network(host: host, port: port)
    }
}

extension RedisConnection {
    /// Says who we are, when there is a password.
    func authenticate(_ configuration: RedisConfiguration) async throws {
        guard let password = configuration.password else { return }
        let user = configuration.address.user.map { [$0] } ?? []
        _ = try await send(RedisCommand(["AUTH"] + user + [password]))
    }
}
