import Database
import Foundation
import GRDB

extension DatabaseValue {
    static func blob(_ bytes: [UInt8]) -> DatabaseValue { Data(bytes).databaseValue }
}

extension SQLError {
    /// Sorts what SQLite says by what a caller can do about it.
    init(translating error: any Error) {
        guard let error = error as? DatabaseError else {
            self.init(.other, "\(error)")
            return
        }
        let kind: Kind =
            switch error.extendedResultCode {
            case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY: .uniqueViolation
            // The disk fails, or was made read-only because it failed.
            case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC, .SQLITE_IOERR_TRUNCATE: .readOnly
            default:
                switch error.resultCode {
                case .SQLITE_CONSTRAINT: .constraintViolation
                case .SQLITE_FULL: .storageFull
                case .SQLITE_READONLY: .readOnly
                case .SQLITE_BUSY, .SQLITE_LOCKED: .serializationFailure
                case .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_NOTADB, .SQLITE_CORRUPT: .connectionLost
                case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_RANGE: .statement
                default: .other
                }
            }
        self.init(kind, error.message ?? "SQLite says \(error.resultCode.rawValue)")
    }
}
