import Database
import Domain

extension SQLQuery {
    /// One column of the rows of `table` whose `key` is among `ids`, by identifier; what is not there is left out.
    ///
    /// - Parameter ids: none, and nothing is found; 1,000 at most, doubles welcome.
    static func texts<ID: Identifier>(
        _ column: String, of table: String, by key: String = "id", among ids: some Sequence<ID>
    ) -> SQLQuery<[ID: String]> where Value == [ID: String] {
        let values = Set(ids).map { SQLValue($0) }
        // No identifier is empty.
        let wanted = ValueList(values.isEmpty ? [.text("")] : values)
        return SQLQuery("SELECT \(key), \(column) FROM \(table) WHERE \(key) IN (\(wanted.places))", wanted.parameters)
        {
            var texts: [ID: String] = [:]
            for row in $0 { texts[try row.identifier(key)] = try row.text(column) }
            return texts
        }
    }
}
