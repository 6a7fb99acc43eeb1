import Database
import Synchronization

/// The names of columns that were answered before, by the text of the statement. Statements are few and answers many.
final class KnownColumns: Sendable {
    static let shared = KnownColumns()

    private static let limit = 500

    private let known = Mutex<[String: SQLColumns]>([:])

    /// - Parameter names: as the answer has them; after a migration a statement may have more than before.
    func columns(_ names: [String], of statement: String) -> SQLColumns {
        known.withLock { known in
            if let columns = known[statement], columns.names == names { return columns }
            let columns = SQLColumns(names)
            if known.count >= Self.limit { known.removeAll() }
            known[statement] = columns
            return columns
        }
    }
}
