/// What a database refused, sorted by what the caller can do about it.
package struct SQLError: Error, CustomStringConvertible, Sendable {
    package enum Kind: String, Sendable {
        /// A row with this key exists.
        case uniqueViolation
        /// Another constraint (not null, check, foreign key), or a value that the column cannot hold.
        case constraintViolation
        /// Another transaction was in the way; the same transaction can be tried again.
        case serializationFailure
        /// The server or the file is out of reach. Nothing of the transaction took effect.
        case connectionLost
        /// The server was lost while it was told to commit: the whole transaction took effect, or nothing of it. It is
        /// never tried again by itself; only the caller can look which it was.
        case outcomeUnknown
        /// The server does not let us in, or is not the one that we trust: this needs a person.
        case accessDenied
        /// The database takes no writes: a replica, or it was set so, or its file is on a disk that takes none.
        case readOnly
        case storageFull
        /// Something took too long: a statement, a lock, or waiting for a connection.
        case timeout
        /// A row does not look as the schema says.
        case badRow
        /// The statement itself is wrong: a fault of ours.
        case statement
        /// The database is of a newer schema than this program.
        case schemaTooNew
        /// The database is not set up as it has to be: this needs a person.
        case unsuitable
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
