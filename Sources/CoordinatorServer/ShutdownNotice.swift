import RESTAPI
import ServiceLifecycle
import Synchronization

/// Says on `/readyz` that this coordinator is about to stop, for a while before it does: whoever spreads requests over
/// several coordinators sends none here any more, so that no request meets a port that was just closed.
///
/// It is the last of the services, so the first that is told to end: the others go on until it returns.
final class ShutdownNotice: Service {
    private let period: Duration
    private let isLeaving = Mutex(false)

    init(period: Duration) {
        self.period = period
    }

    func run() async {
        // Throws when cancelled; then there is no time for a notice.
        guard (try? await gracefulShutdown()) != nil else { return }
        isLeaving.withLock { $0 = true }
        try? await Task.sleep(for: period)
    }

    /// Empty while nobody asked this coordinator to stop.
    var checks: [ReadinessCheck] {
        guard isLeaving.withLock({ $0 }) else { return [] }
        return [ReadinessCheck(name: "shutdown", isReady: false, detail: "about to stop")]
    }
}
