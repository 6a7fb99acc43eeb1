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

    /// Which servers are asked for, in libpq's words for `target_session_attrs`; `nil` leaves it at what was said.
    ///
    /// Among several servers the one that takes writes is looked for, when nobody said which. For `read-write` libpq asks
    /// whether *this session* may write, and sessions for reading are told not to: they ask for the primary instead.
    func sessionAttributes(instead said: String?, isOneOfSeveral: Bool) -> String? {
        switch said {
        case "read-write": writes ? nil : "primary"
        case nil, "": isOneOfSeveral ? (writes ? "read-write" : "primary") : nil
        default: nil
        }
    }

    /// What a transaction writes it finds by an index. A server that plans a statement for many rows while the table is
    /// young would rather read all of it, and keeps to that plan when the table has grown.
    private static let byIndex = ["-c enable_seqscan=off", "-c jit=off"]

    /// What the server is told at the start of the session.
    var options: [String] {
        switch self {
        case .flushing: []
        case .writing: Self.byIndex
        case .writingAhead: ["-c synchronous_commit=off"] + Self.byIndex
        // Statements that are sent together are one transaction without being told so.
        case .reading: ["-c default_transaction_read_only=on", "-c default_transaction_isolation=repeatable\\ read"]
        }
    }
}
