import Domain
import Foundation

/// A database file that must be there already: SQLite would make a missing one.
struct SQLiteFile: Sendable {
    let path: String

    func requireExisting() throws(ServiceError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ServiceError(.failedPrecondition, "there is no file \(path)", field: "from")
        }
    }
}
