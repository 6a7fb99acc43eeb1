/// What a connection is for.
enum PostgresRole: Sendable {
    /// Transactions that may write, whose COMMIT waits for the disk by itself.
    case writing
    /// The same; ``CommitBarrier`` waits for the disk.
    case writingAhead
    case reading
    /// The commits of ``CommitBarrier``.
    case flushing

    var writes: Bool { self != .reading }

    /// What a pool of these is called in the metrics.
    var word: String {
        switch self {
        case .writing: "writing"
        case .writingAhead: "writing-ahead"
        case .reading: "reading"
        case .flushing: "flushing"
        }
    }

    /// What the server is told at the start of the session.
    var options: [String] {
        switch self {
        case .writing, .flushing: []
        case .writingAhead: ["-c synchronous_commit=off"]
        case .reading: ["-c default_transaction_read_only=on"]
        }
    }
}
