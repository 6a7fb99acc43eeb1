import CPostgres
import Database

/// What the server answered to one statement.
struct PostgresAnswer: Sendable {
    let changedRows: Int
    let rows: [SQLRow]
    /// What it did, such as `COMMIT` or `INSERT 0 1`.
    let tag: String

    /// Copies a result. Bytes from the server are not trusted: a column of an unknown type throws.
    init(_ result: OpaquePointer, decodesRows: Bool) throws(SQLError) {
        tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
        changedRows = tag.hasPrefix("SELECT") ? 0 : PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
        let rowCount = PQntuples(result)
        guard decodesRows, rowCount > 0 else {
            rows = []
            return
        }
        let columnCount = PQnfields(result)
        var types: [PostgresType] = []
        types.reserveCapacity(Int(columnCount))
        for column in 0..<columnCount {
            guard PQfformat(result, column) == 1, let type = PostgresType(rawValue: PQftype(result, column)) else {
                throw SQLError(
                    .badRow,
                    "\(String(cString: PQfname(result, column))) is of the type \(PQftype(result, column)), which is not expected"
                )
            }
            types.append(type)
        }
        let columns = KnownColumns.shared.columns(of: result)
        var rows: [SQLRow] = []
        rows.reserveCapacity(Int(rowCount))
        for row in 0..<rowCount {
            var values: [SQLValue] = []
            values.reserveCapacity(Int(columnCount))
            for column in 0..<columnCount {
                if PQgetisnull(result, row, column) == 1 {
                    values.append(.null)
                    continue
                }
                let bytes = UnsafeRawBufferPointer(
                    start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
                guard let value = types[Int(column)].value(of: bytes) else {
                    throw SQLError(.badRow, "\(columns.names[Int(column)]) cannot be read")
                }
                values.append(value)
            }
            rows.append(SQLRow(columns, values))
        }
        self.rows = rows
    }
}
