import Coordinator
import Domain

/// Renews sessions once. A browser asks for a page, its events and its parts at the same time, all with the same old
/// refresh token; trading it twice would end the session as if it had been stolen.
actor SessionRenewals {
    private static let memory = Duration.seconds(60)
    private static let capacity = 10_000

    private struct Renewal {
        let task: Task<IssuedSession, any Error>
        let began: ContinuousClock.Instant
    }

    private let accounts: AccountService
    private var renewals: [String: Renewal] = [:]

    init(accounts: AccountService) {
        self.accounts = accounts
    }

    /// The session that follows `refreshToken`. Throws `unauthenticated` when there is none.
    func renew(_ refreshToken: String) async throws -> IssuedSession {
        let now = ContinuousClock.now
        if let known = renewals[refreshToken], now - known.began < Self.memory { return try await known.task.value }
        if renewals.count >= Self.capacity { renewals.removeAll() }
        renewals = renewals.filter { now - $0.value.began < Self.memory }
        // A visitor that goes away must not leave a token used whose follower nobody got.
        let task = Task { [accounts] in try await accounts.refresh(refreshToken) }
        renewals[refreshToken] = Renewal(task: task, began: now)
        do {
            return try await task.value
        } catch {
            renewals[refreshToken] = nil
            throw error
        }
    }
}
