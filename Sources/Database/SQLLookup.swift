import Synchronization

/// A question for the rows of one key. Several of its kind can be asked as one, for the rows of all their keys.
package final class SQLLookup: Sendable {
    /// The column of the key; it is among those that are asked for.
    let column: String
    private let head: String
    private let tail: String
    /// By the number of keys.
    private let texts = Mutex<[Int: String]>([:])

    /// - Parameters:
    ///   - head: such as `SELECT * FROM job`.
    ///   - column: the column of the key.
    ///   - tail: other conditions without values, such as ` AND state = 'ready'`.
    package init(_ head: String, by column: String, _ tail: String = "") {
        self.head = head
        self.column = column
        self.tail = tail
    }

    /// For so many keys.
    func text(of count: Int) -> String {
        texts.withLock { texts in
            if let text = texts[count] { return text }
            let places =
                count == 1 ? "= $1" : "IN (" + (1...count).map { "$\($0)" }.joined(separator: ", ") + ")"
            let text = "\(head) WHERE \(column) \(places)\(tail)"
            texts[count] = text
            return text
        }
    }

    /// Asks for all of the keys. The last is repeated until there are 1, 2, 4, 8 … of them, so that there are few statements
    /// to prepare.
    func statement(of keys: [SQLValue]) -> SQLStatement {
        var padded = keys
        while padded.count & (padded.count - 1) != 0 { padded.append(keys[keys.count - 1]) }
        return SQLStatement(text(of: padded.count), padded)
    }
}
