import CPostgres
import Database
import Glibc
import Synchronization

/// The names of columns that were answered before. Statements are few and answers many, and a table of 30 names takes
/// longer to make than the row below them to read.
final class KnownColumns: Sendable {
    static let shared = KnownColumns()

    private static let limit = 500

    private let known = Mutex<[UInt64: SQLColumns]>([:])

    func columns(of result: OpaquePointer) -> SQLColumns {
        let count = PQnfields(result)
        // FNV-1a. Two lists of names may have one number.
        var number: UInt64 = 0xcbf2_9ce4_8422_2325
        for column in 0..<count {
            guard let name = PQfname(result, column) else { continue }
            for byte in UnsafeRawBufferPointer(start: name, count: strlen(name) + 1) {
                number = (number ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        if let columns = known.withLock({ $0[number] }), Self.are(columns.names, in: result, count) { return columns }
        let columns = SQLColumns((0..<count).map { String(cString: PQfname(result, $0)) })
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[number] = columns
        }
        return columns
    }

    private static func are(_ names: [String], in result: OpaquePointer, _ count: CInt) -> Bool {
        names.count == Int(count)
            && (0..<count).allSatisfy { column in
                names[Int(column)].withCString { strcmp($0, PQfname(result, column)) == 0 }
            }
    }
}
