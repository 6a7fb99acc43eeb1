package import Domain

/// How to get to Redis, as operators write it:
///
/// - `redis://[user@]host[:port][/database]`, and `rediss://` for TLS;
/// - `redis+unix:///path/of/the.sock[?db=2&user=name]`;
/// - `redis+sentinel://[user@]host[:port],host[:port]…/master[/database]`, and `rediss+sentinel://` for TLS.
///
/// `?ca=FILE` names the authorities that are trusted instead of the system's. A password is never part of it, because
/// addresses are printed and seen by whoever lists the processes.
package struct RedisAddress: Sendable, Equatable, CustomStringConvertible {
    package enum Place: Sendable, Equatable {
        case server(RedisEndpoint)
        /// Ask one of these where the master of that name is.
        case sentinels([RedisEndpoint], master: String)
    }

    package let place: Place
    package let user: String?
    package let database: Int
    package let isEncrypted: Bool
    /// PEM.
    package let trustFile: String?

    package init(_ text: String) throws(ServiceError) {
        guard let (scheme, rest) = Self.split(text, at: "://") else {
            throw Self.malformed(text, "it does not begin with redis://")
        }
        let (location, query) = Self.split(rest, at: "?") ?? (rest, "")
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            guard let (name, value) = Self.split(String(pair), at: "="), ["ca", "db", "user"].contains(name),
                !value.isEmpty
            else { throw Self.malformed(text, "it has an option that is not known") }
            options[name] = value
        }
        trustFile = options["ca"]
        isEncrypted = scheme.hasPrefix("rediss")
        if scheme == "redis+unix" || scheme == "unix" {
            guard location.hasPrefix("/"), location.utf8.count <= 100 else {
                throw Self.malformed(text, "the path of a socket begins with / and has at most 100 bytes")
            }
            place = .server(.socket(path: location))
            user = options["user"]
            database = try Self.database(options["db"], in: text)
            return
        }
        guard ["redis", "rediss", "redis+sentinel", "rediss+sentinel"].contains(scheme) else {
            throw Self.malformed(text, "the scheme \(scheme.prefix(20)) is not known")
        }
        let path = location.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var authority = path[0]
        var user = options["user"]
        if let at = authority.lastIndex(of: "@") {
            user = String(authority[..<at])
            authority = String(authority[authority.index(after: at)...])
            guard user?.contains(":") == false, user?.isEmpty == false else {
                throw ServiceError(
                    .invalidArgument, "the address of Redis must not have a password in it", field: "redis",
                    rule: "redis-address",
                    nextStep: "Set PAGEWRIGHT_REDIS_PASSWORD, or put the password into a file that redis.password-file "
                        + "names.")
            }
        }
        self.user = user
        if scheme.hasSuffix("+sentinel") {
            guard path.count >= 2, path.count <= 3, !path[1].isEmpty else {
                throw Self.malformed(text, "the name of the master is missing behind the sentinels")
            }
            var endpoints: [RedisEndpoint] = []
            for part in authority.split(separator: ",", omittingEmptySubsequences: false) {
                endpoints.append(try Self.endpoint(String(part), port: 26_379, in: text))
            }
            place = .sentinels(endpoints, master: path[1])
            database = try Self.database(path.count == 3 ? path[2] : options["db"], in: text)
        } else {
            guard path.count <= 2 else { throw Self.malformed(text, "there is too much behind the host") }
            place = .server(try Self.endpoint(authority, port: 6379, in: text))
            database = try Self.database(path.count == 2 && !path[1].isEmpty ? path[1] : options["db"], in: text)
        }
    }

    package var description: String {
        switch place {
        case .server(let endpoint): "\(isEncrypted ? "rediss" : "redis")://\(endpoint)/\(database)"
        case .sentinels(let endpoints, let master):
            "\(isEncrypted ? "rediss" : "redis")+sentinel://"
                + endpoints.map(\.description).joined(separator: ",") + "/\(master)/\(database)"
        }
    }

    private static func endpoint(
        _ text: String, port: Int, in whole: String
    ) throws(ServiceError) -> RedisEndpoint {
        var host = text
        var number = port
        let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[afterBracket...].lastIndex(of: ":") {
            guard let given = Int(text[text.index(after: colon)...]), (1...65_535).contains(given) else {
                throw malformed(whole, "a port is 1 to 65535")
            }
            host = String(text[..<colon])
            number = given
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard (1...253).contains(host.utf8.count), host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw malformed(whole, "a host is missing")
        }
        return .network(host: host, port: number)
    }

    private static func database(_ text: String?, in whole: String) throws(ServiceError) -> Int {
        guard let text else { return 0 }
        guard let number = Int(text), (0...65_535).contains(number) else {
            throw malformed(whole, "a database is a number from 0")
        }
        return number
    }

    private static func split(_ text: String, at separator: String) -> (String, String)? {
        guard let range = text.firstRange(of: separator) else { return nil }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    private static func malformed(_ text: String, _ reason: String) -> ServiceError {
        // Whatever stands before an @ may be a password.
        let shown = text.split(separator: "@").last.map(String.init) ?? ""
        return ServiceError(
            .invalidArgument, "\"\(shown.prefix(128))\" is not the address of a Redis server: \(reason)",
            field: "redis", rule: "redis-address",
            nextStep: "Write it as redis://host:6379/0, redis+unix:///run/redis/redis.sock or "
                + "redis+sentinel://one:26379,two:26379/mymaster.")
    }
}
