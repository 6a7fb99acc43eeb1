import CPostgres
package import Database
import Glibc

/// Where a PostgreSQL database is and how to get in, as libpq understands it: `postgres://user@host/name?sslmode=…` or
/// `host=… dbname=…`. Its description never has the password.
package struct PostgresAddress: Sendable, CustomStringConvertible {
    private static let secrets: Set<String> = ["password", "sslpassword"]
    private static let defaultRoots = "/etc/ssl/certs/ca-certificates.crt"

    /// What was said, by libpq's keywords.
    private(set) var parameters: [String: String]

    /// Throws ``SQLError`` `unsuitable` for a text that is no address; its message repeats nothing of the text, which
    /// may hold a password.
    package init(_ text: String) throws(SQLError) {
        guard !text.utf8.contains(0), let options = PQconninfoParse(text, nil) else {
            throw SQLError(
                .unsuitable, "the address of the database is not understood: it looks like postgres://user@host/name")
        }
        defer { PQconninfoFree(options) }
        parameters = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
    }

    package var hasPassword: Bool { parameters["password"] != nil }

    package func with(password: String) -> Self {
        var copy = self
        copy.parameters["password"] = password
        return copy
    }

    /// Such as `postgres://user@host:5432/name`.
    package var description: String {
        let user = parameters["user"].map { "\($0)@" } ?? ""
        let hosts = list("host").isEmpty ? list("hostaddr") : list("host")
        let ports = list("port")
        let places = hosts.indices.map { index in
            let port = ports.count == hosts.count ? ports[index] : ports.first ?? ""
            return port.isEmpty ? hosts[index] : "\(hosts[index]):\(port)"
        }
        return "postgres://\(user)\(places.joined(separator: ","))/\(parameters["dbname"] ?? "")"
    }

    /// Whether all of it stays on this machine.
    private var isLocal: Bool {
        var hosts = list("hostaddr").isEmpty ? list("host") : list("hostaddr")
        if hosts.isEmpty, let other = Self.environment("PGHOSTADDR") ?? Self.environment("PGHOST") { hosts = [other] }
        return hosts.allSatisfy { $0.isEmpty || $0.hasPrefix("/") || $0.hasPrefix("@") || Self.loopback.contains($0) }
    }

    /// Whether libpq has to choose among servers.
    private var namesSeveralServers: Bool { max(list("host").count, list("hostaddr").count) > 1 }

    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "::1"]

    /// What libpq takes when the address does not say.
    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private func list(_ keyword: String) -> [String] {
        (parameters[keyword] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            .filter { !$0.isEmpty }
    }

    /// What libpq is told: what was said, and what must hold when nothing was said about it. What leaves this machine
    /// is encrypted, and the server proves who it is by a certificate of the system's authorities.
    func connectionParameters(_ settings: PostgresSettings, role: PostgresRole) -> [String: String] {
        var all = parameters
        let mode = all["sslmode"] ?? Self.environment("PGSSLMODE") ?? (isLocal ? "prefer" : "verify-full")
        all["sslmode"] = mode
        if mode.hasPrefix("verify"), all["sslrootcert"] == nil, Self.environment("PGSSLROOTCERT") == nil {
            all["sslrootcert"] = Self.defaultRoots
        }
        for (keyword, value) in [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"), ("application_name", settings.applicationName),
        ] where all[keyword] == nil {
            all[keyword] = value
        }
        let sessions = all["target_session_attrs"] ?? Self.environment("PGTARGETSESSIONATTRS")
        if let attributes = role.sessionAttributes(instead: sessions, isOneOfSeveral: namesSeveralServers) {
            all["target_session_attrs"] = attributes
        }
        all["client_encoding"] = "UTF8"
        var options = [all["options"] ?? ""]
        options.append("-c statement_timeout=\(settings.statementTimeout.wholeMilliseconds)")
        options.append("-c lock_timeout=\(settings.lockTimeout.wholeMilliseconds)")
        options.append("-c idle_in_transaction_session_timeout=\(settings.idleTransactionTimeout.wholeMilliseconds)")
        options += role.options
        all["options"] = options.filter { !$0.isEmpty }.joined(separator: " ")
        return all
    }
}

extension Duration {
    /// At least 1, because 0 means "no limit" to PostgreSQL.
    var wholeMilliseconds: Int64 {
        max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
