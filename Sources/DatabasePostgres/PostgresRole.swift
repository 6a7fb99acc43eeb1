/// What a connection is for.
enum PostgresRole: String, Sendable {
    case writing
    case reading

    /// What the server is told at the start of the session.
    var options: [String] {
        switch self {
        case .writing: []
        case .reading: ["-c default_transaction_read_only=on"]
        }
    }
}
