/// One row of an answer. A column that is missing or of another type throws: rows are not trusted.
package struct SQLRow: Sendable {
    package let columns: SQLColumns
    /// One for each column, in their order.
    package let values: [SQLValue]

    package init(_ columns: SQLColumns, _ values: [SQLValue]) {
        precondition(columns.names.count == values.count, "a row has one value for each column")
        self.columns = columns
        self.values = values
    }

    package func value(_ column: String) throws(SQLError) -> SQLValue {
        guard let position = columns.position(of: column) else {
            throw SQLError(.badRow, "there is no column \(column)")
        }
        return values[position]
    }

    package func integer(_ column: String) throws(SQLError) -> Int64 {
        guard case .integer(let value) = try value(column) else { throw SQLError(.badRow, "\(column) is no integer") }
        return value
    }

    package func optionalInteger(_ column: String) throws(SQLError) -> Int64? {
        if case .null = try value(column) { return nil }
        return try integer(column)
    }

    package func text(_ column: String) throws(SQLError) -> String {
        guard case .text(let value) = try value(column) else { throw SQLError(.badRow, "\(column) is no text") }
        return value
    }

    package func optionalText(_ column: String) throws(SQLError) -> String? {
        if case .null = try value(column) { return nil }
        return try text(column)
    }

    package func blob(_ column: String) throws(SQLError) -> [UInt8] {
        guard case .blob(let value) = try value(column) else { throw SQLError(.badRow, "\(column) is no blob") }
        return value
    }

    /// 0 and 1 stand for false and true, in both databases.
    package func boolean(_ column: String) throws(SQLError) -> Bool { try integer(column) != 0 }
}
