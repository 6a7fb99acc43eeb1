/// The names under which one connection keeps statements prepared: the ones used last, up to a limit.
struct PreparedStatements {
    enum Lookup: Equatable {
        case known(String)
        /// To be prepared under this name; `evicted` is to be forgotten by the server.
        case new(String, evicted: String?)
    }

    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var clock: UInt64 = 0

    init(limit: Int) {
        precondition(limit > 0, "there is room for a statement")
        self.limit = limit
    }

    mutating func use(_ statement: String) -> Lookup {
        clock += 1
        if let name = entries[statement]?.name {
            entries[statement]?.lastUse = clock
            return .known(name)
        }
        var evicted: String?
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            evicted = oldest.value.name
        }
        let name = "s\(clock)"
        entries[statement] = Entry(name: name, lastUse: clock)
        return .new(name, evicted: evicted)
    }

    /// The server does not know it: preparing it failed.
    mutating func forget(_ statement: String) { entries[statement] = nil }
}
