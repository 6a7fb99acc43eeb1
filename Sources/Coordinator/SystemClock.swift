package import Domain
import Glibc
import Synchronization

/// The machine's own clock, without its jumps: what was decided by it a moment ago stays in proportion.
package struct SystemClock: WallClock {
    private static let steady = Mutex(SteadyTime())
    private static let start = ContinuousClock.now

    package init() {}

    package func now() -> Timestamp {
        let start = Self.start
        return Self.steady.withLock { steady in
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return steady.now(
                wall: Timestamp(
                    millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000),
                elapsed: start.duration(to: .now))
        }
    }
}
