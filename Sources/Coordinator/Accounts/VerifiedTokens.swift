import Domain
import Synchronization

/// Whom tokens name whose signatures were found to be right: that never changes, so each is computed once. Whether such a
/// token is still good, by its time and its session, is asked with every use of it.
final class VerifiedTokens: Sendable {
    private static let limit = 2000

    private let callers = Mutex<[String: AuthenticatedCaller]>([:])

    func find(_ token: String) -> AuthenticatedCaller? { callers.withLock { $0[token] } }

    func note(_ caller: AuthenticatedCaller, for token: String) {
        callers.withLock { callers in
            // Seldom, and forgetting costs one signature for each token in use.
            if callers.count >= Self.limit { callers.removeAll() }
            callers[token] = caller
        }
    }
}
