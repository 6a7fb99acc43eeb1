import Domain
import Glibc

/// The machine's clock with all its jumps, for what other machines compare with theirs, such as signatures for S3: when
/// somebody sets a wrong clock right, they are right at once. Everything else goes by `SystemClock`.
struct MachineClock: WallClock {
    func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
