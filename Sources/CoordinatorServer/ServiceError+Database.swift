import Database
import Domain

extension ServiceError {
    /// What a person at the console is told when a database cannot be used.
    init(_ error: SQLError, at source: DatabaseSource) {
        let nextStep: String
        switch (error.kind, source) {
        case (.readOnly, .postgres):
            nextStep = "Let --database name the primary server; with several hosts add target_session_attrs=read-write."
        case (.accessDenied, _):
            nextStep =
                "Check user, password (PAGEWRIGHT_DATABASE_PASSWORD), name, sslmode and sslrootcert of --database."
        case (.connectionLost, .postgres), (.timeout, _):
            nextStep = "Check that the server runs and that --database names it; look at the server's log."
        case (.connectionLost, .sqlite), (.readOnly, .sqlite), (.storageFull, .sqlite):
            nextStep = "Check that the disk takes writes and is not full, and that this user may write to the folder."
        case (.storageFull, .postgres): nextStep = "Make room on the server's disk."
        case (.schemaTooNew, _): nextStep = "Install the newer pagewright-coordinator."
        case (.unsuitable, _): nextStep = "See docs/databases.md for how to make the database."
        default: nextStep = "See the cause; nothing was changed."
        }
        self.init(
            .failedPrecondition, "cannot use the database \(source)", field: "database",
            rule: "database-\(error.kind.rawValue)", nextStep: nextStep, cause: error)
    }
}
