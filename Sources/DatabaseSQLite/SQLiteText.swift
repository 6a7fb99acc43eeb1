import Synchronization

/// Statements as SQLite takes values by their place: `$7` is a name for it, and `?7` a number.
final class SQLiteText: Sendable {
    static let shared = SQLiteText()

    /// Statements are the program's own and few; lists of values come in few lengths.
    private static let limit = 2000

    private let known = Mutex<[String: String]>([:])

    func text(of statement: String) -> String {
        if let text = known.withLock({ $0[statement] }) { return text }
        let text = Self.numbered(statement)
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[statement] = text
        }
        return text
    }

    private static func numbered(_ statement: String) -> String {
        var bytes = Array(statement.utf8)
        for index in bytes.indices.dropLast()
        where bytes[index] == UInt8(ascii: "$") && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index + 1]) {
            bytes[index] = UInt8(ascii: "?")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
