/// How a PostgreSQL database is used.
package struct PostgresSettings: Sendable {
    package var address: PostgresAddress
    /// What the server's list of sessions calls us.
    package var applicationName = "pagewright"
    /// Connections for transactions that may write; as many run at once.
    package var writers = 10
    /// Connections for reading.
    package var readers = 6
    /// How many callers wait for a connection of one kind before the next is refused.
    package var waitingLimit = 1000
    /// How long a caller waits for one.
    package var waitingTimeout = Duration.seconds(10)
    /// How long opening a connection may take: names, TLS and log-in.
    package var connectTimeout = Duration.seconds(5)
    /// How long a caller waits for a server that is away; others that come meanwhile wait no longer.
    package var absencePatience = Duration.seconds(2)
    package var statementTimeout = Duration.seconds(30)
    package var lockTimeout = Duration.seconds(10)
    /// The server ends a transaction that says nothing for so long, and frees its locks.
    package var idleTransactionTimeout = Duration.seconds(60)
    /// A connection that was idle for so long is asked whether it lives before it is used.
    package var idleCheckAfter = Duration.seconds(15)
    /// How many statements one connection keeps prepared.
    package var preparedStatementLimit = 256

    package init(address: PostgresAddress) {
        self.address = address
    }
}

extension PostgresSettings {
    /// How connections are secured, in libpq's words, such as `verify-full`.
    package var tlsMode: String { address.connectionParameters(self, role: .reading)["sslmode"] ?? "" }
}
