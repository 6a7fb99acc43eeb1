import Synchronization

/// When something was last seen to be so.
final class LastSight: Sendable {
    private let instant = Mutex<ContinuousClock.Instant?>(nil)

    func note() { instant.withLock { $0 = .now } }

    func wasSeen(within duration: Duration) -> Bool {
        instant.withLock { $0.map { $0.duration(to: .now) < duration } ?? false }
    }
}
