import BlockingIO
import Database
import DatabaseSQLite
import Domain
import Logging
import Persistence
import Synchronization
import TestSupport

@testable import Coordinator

/// Accounts on a database of their own, with a clock that the test turns.
struct AccountsFixture: Sendable {
    final class Clock: WallClock {
        private let time = Mutex(Timestamp(millisecondsSinceEpoch: 1_800_000_000_000))
        func now() -> Timestamp { time.withLock { $0 } }
        func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    static let address = ClientAddress("192.0.2.1")
    static let password = "correct horse battery"

    let database: any SQLDatabase
    let clock: Clock
    let accounts: AccountService
    let pool = BlockingPool(label: "test.passwords", width: 2)

    static func with<Value>(
        isRegistrationOpen: Bool = true, _ body: (AccountsFixture) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { directory in
            let database = try SQLiteDatabase(path: directory + "/test.sqlite")
            _ = try await Migrator(Schema.migrations).migrate(database)
            return try await body(
                try await AccountsFixture(database: database, clock: Clock(), isRegistrationOpen: isRegistrationOpen))
        }
    }

    private init(database: any SQLDatabase, clock: Clock, isRegistrationOpen: Bool) async throws {
        self.database = database
        self.clock = clock
        accounts = try await Self.makeAccounts(
            database, clock, PasswordHasher(uncheckedCost: 4, pool: pool), isRegistrationOpen: isRegistrationOpen)
    }

    /// The same accounts, as a coordinator with a higher password cost sees them.
    func accounts(withCost cost: Int) async throws -> AccountService {
        try await Self.makeAccounts(database, clock, PasswordHasher(uncheckedCost: cost, pool: pool))
    }

    private static func makeAccounts(
        _ database: any SQLDatabase, _ clock: Clock, _ hasher: PasswordHasher, isRegistrationOpen: Bool = true
    ) async throws -> AccountService {
        AccountService(
            database: database, passwords: hasher,
            tokens: try await AccessTokenSigner(key: [UInt8](repeating: 7, count: 32)), limiter: LoginRateLimiter(),
            clock: clock, isRegistrationOpen: isRegistrationOpen, logger: Logger(label: "test"))
    }

    func register(_ email: String) async throws -> IssuedSession {
        try await accounts.register(email: email, password: Self.password, name: "Ada", from: Self.address)
    }

    func logIn(_ email: String, _ password: String = password) async throws -> IssuedSession {
        try await accounts.logIn(email: email, password: password, from: Self.address)
    }
}

/// The refusal that `body` throws; `nil` when it throws none, or something else.
func refusal(_ body: () async throws -> some Sendable) async -> ServiceError? {
    do {
        _ = try await body()
    } catch let error as ServiceError {
        return error
    } catch {}
    return nil
}
