import Metrics
import Telemetry

/// What a pool says of itself: its connections, and who waits for one. The metrics are found once, because every
/// transaction moves them.
struct PoolMetrics: Sendable {
    private let inUse: any MeterHandler
    private let idle: any MeterHandler
    private let waiting: any MeterHandler
    private let wait: any TimerHandler

    init(_ role: PostgresRole) {
        let factory = MetricsSystem.factory
        inUse = factory.meter(.databaseConnections, role.word, "in_use")
        idle = factory.meter(.databaseConnections, role.word, "idle")
        waiting = factory.meter(.databaseWaiting, role.word)
        wait = factory.timer(.databaseWaitSeconds, role.word)
    }

    func publish(_ counts: (open: Int, idle: Int, waiting: Int)) {
        inUse.set(Int64(counts.open - counts.idle))
        idle.set(Int64(counts.idle))
        waiting.set(Int64(counts.waiting))
    }

    func noteWait(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        wait.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
