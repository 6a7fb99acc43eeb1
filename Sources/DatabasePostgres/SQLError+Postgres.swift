import Database

extension SQLError {
    /// Sorts what PostgreSQL says by what a caller can do about it. `state` is an SQLSTATE of five characters.
    init(state: String, message: String) {
        self.init(Self.kind(of: state), "\(message) (SQLSTATE \(state))")
    }

    static func kind(of state: String) -> Kind {
        switch state {
        case "23505": .uniqueViolation
        case "40001", "40P01": .serializationFailure
        case "53100": .storageFull
        case "55P03", "57014": .timeout
        case "25006": .readOnly
        case "42501", "3D000": .accessDenied
        case "25P03", "53300": .connectionLost
        // A plan that a migration made stale: run again, the statement is prepared anew.
        case stalePlan: .serializationFailure
        default:
            switch state.prefix(2) {
            // Data exceptions: a value out of range, a character that the encoding does not have.
            case "22", "23": .constraintViolation
            case "08", "57": .connectionLost
            case "28": .accessDenied
            case "0A", "26", "42": .statement
            default: .other
            }
        }
    }

    /// `cached plan must not change result type`: somebody added a column to a table that a prepared `SELECT *` reads.
    static let stalePlan = "0A000/stale-plan"
}
