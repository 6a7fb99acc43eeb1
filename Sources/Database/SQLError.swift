/// What a database refused, sorted by what the caller can do about it.
package struct SQLError: Error, CustomStringConvertible, Sendable {
    package enum Kind: String, Sendable {
        /// A row with this key exists.
        case uniqueViolation
        /// Another constraint (not null, check, foreign key).
        case constraintViolation
        /// Another transaction was in the way; the same transaction can be tried again.
        case serializationFailure
        /// The server or the file is out of reach.
        case connectionLost
        case storageFull
        case timeout
        /// A row does not look as the schema says.
        case badRow
        /// The statement itself is wrong: a fault of ours.
        case statement
        /// The database is of a newer schema than this program.
        case schemaTooNew
        case other
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}
