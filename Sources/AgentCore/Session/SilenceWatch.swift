import Domain
import Synchronization

/// Ends a wait for a peer that says nothing any more, on a clock that no change of the time of day moves.
final class SilenceWatch: Sendable {
    static let rule = "peer-silence"
    /// By which the coordinator says that it heard nothing of this host.
    static let ruleOfCoordinator = "session-silence"

    private let lastHeard = Mutex(ContinuousClock.now)
    private let peer: String

    /// `peer` begins the sentence "… said nothing for 30000 ms".
    init(_ peer: String) {
        self.peer = peer
    }

    func heard() { lastHeard.withLock { $0 = .now } }

    /// Throws `unavailable` once nothing was heard for `limit`, and `CancellationError` when cancelled.
    func wait(limit: Duration) async throws -> Never {
        while true {
            let deadline = lastHeard.withLock { $0 } + limit
            guard deadline > .now else { throw Self.silence(of: peer, for: limit) }
            try await Task.sleep(until: deadline, clock: .continuous)
        }
    }

    static func silence(of peer: String, for duration: Duration) -> ServiceError {
        ServiceError(
            .unavailable, "\(peer) said nothing for \(duration.wholeMilliseconds) ms", rule: rule,
            nextStep: "Check the network between this host and the coordinator.")
    }
}
