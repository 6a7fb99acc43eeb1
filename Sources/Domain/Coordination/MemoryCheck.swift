/// What a coordinator's machine remembers of the database, outside of the database and of its backups.
package struct DatabaseMemory: Sendable, Equatable {
    /// The word by which the database knows itself again.
    package let mark: String
    package let incarnation: Incarnation
    /// The number of the newest event. It grows with every effect.
    package let position: Int64

    package init(mark: String, incarnation: Incarnation, position: Int64) {
        self.mark = mark
        self.incarnation = incarnation
        self.position = position
    }
}

/// Compares what the database says with what the machine remembers.
package struct MemoryCheck: Sendable {
    package enum Finding: Sendable, Equatable {
        /// The database was never used.
        case new
        case same
        /// Another machine, or another timeline, and nothing that is known of is missing: fences go on above.
        case moved
        /// Something may be missing; the reason is a sentence.
        case doubtful(String)
    }

    /// - Parameters:
    ///   - database: what it says of itself; an empty mark when it was never used.
    ///   - remembered: `nil` when this machine remembers nothing.
    ///   - storage: what the database server says that it is now; `nil` when it does not say, as a file does not.
    ///   - knownStorage: what it said before.
    package static func compare(
        database: DatabaseMemory, remembered: DatabaseMemory?, storage: String?, knownStorage: String
    ) -> Finding {
        guard !database.mark.isEmpty else { return .new }
        let hasMoved = storage != nil && !knownStorage.isEmpty && storage != knownStorage
        guard let remembered else {
            if hasMoved { return .doubtful("The database is on another server, or was rolled back to another time.") }
            // A server's database may be new to this machine; a file's may not.
            return storage == nil
                ? .doubtful("Nothing on this machine says that the database file is the newest one.") : .same
        }
        if remembered.mark != database.mark { return .doubtful("This is another database than before.") }
        if remembered.incarnation > database.incarnation {
            return .doubtful("The database is older than the last recovery that was accepted.")
        }
        if remembered.incarnation == database.incarnation, remembered.position > database.position {
            return .doubtful(
                "The database lacks the last \(remembered.position - database.position) events that were recorded.")
        }
        return hasMoved ? .moved : .same
    }
}
