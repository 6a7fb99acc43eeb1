/// Makes of a wall clock that may jump one that never does: it goes with a monotonic clock and drifts towards the wall
/// clock, by a twentieth of the time that passes at most. So a jump of an hour, or of ten years, neither ends leases early
/// nor keeps them for ever, and a clock that is a little wrong is right again soon.
package struct SteadyTime: Sendable {
    private static let share = 20
    private var last: (time: Timestamp, elapsed: Duration)?

    package init() {}

    /// - Parameters:
    ///   - wall: what the wall clock says.
    ///   - elapsed: what the monotonic clock says, since any one instant.
    package mutating func now(wall: Timestamp, elapsed: Duration) -> Timestamp {
        guard let last else {
            self.last = (wall, elapsed)
            return wall
        }
        let passed = elapsed - last.elapsed
        // Readings of less than this apart would lose their fractions.
        guard passed >= .milliseconds(Self.share) else { return last.time + passed }
        let expected = last.time + passed
        let limit = passed / Self.share
        let time = expected + max(.zero - limit, min(limit, wall - expected))
        self.last = (time, elapsed)
        return time
    }
}
