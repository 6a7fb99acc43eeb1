import DatabasePostgres
import Domain

/// Which database a command works on.
enum DatabaseSource: Sendable, CustomStringConvertible {
    case sqlite(path: String)
    case postgres(PostgresAddress)

    /// Understands `sqlite:PATH` and `postgres://…`. `origin` is where the text was written, for errors, which never
    /// repeat it: it may hold a password. One that others on the machine can read (`isPublic`) may not.
    init(_ text: String, origin: String, isPublic: Bool) throws(ServiceError) {
        if text.hasPrefix("sqlite:"), text.count > "sqlite:".count {
            self = .sqlite(path: String(text.dropFirst("sqlite:".count)))
            return
        }
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://"),
            let address = try? PostgresAddress(text)
        else {
            throw ServiceError(
                .failedPrecondition, "\(origin) is no address of a database", field: "database",
                rule: "database-address",
                nextStep:
                    "Say sqlite:PATH, or postgres://USER@HOST/NAME with what libpq knows, such as ?sslmode=verify-full."
            )
        }
        guard !isPublic || !address.hasPassword else {
            throw ServiceError(
                .failedPrecondition, "\(origin) has a password in it, which everybody on this machine could read",
                field: "database", rule: "database-password",
                nextStep:
                    "Leave it out and set \(Setting.databasePassword.variable), or \(Self.passwordFile) to a file.")
        }
        self = .postgres(address)
    }

    private static let passwordFile = Setting.databasePassword.variable + "_FILE"

    func with(password: String?) -> Self {
        guard case .postgres(let address) = self, let password, !password.isEmpty else { return self }
        return .postgres(address.with(password: password))
    }

    /// Never has the password.
    var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let address): "\(address)"
        }
    }
}
