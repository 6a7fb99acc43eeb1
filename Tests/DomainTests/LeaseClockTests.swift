import Domain
import Testing

@Suite struct LeaseClockTests {
    private let start = ContinuousClock().now

    @Test("A task has three quarters of its lease, counted from when the renewal was sent")
    func deadline() {
        var clock = LeaseClock(leaseDuration: .seconds(60), offeredAt: start)
        #expect(clock.deadline == start + .seconds(45))
        clock.heartbeatSent(at: start + .seconds(10))
        #expect(clock.deadline == start + .seconds(45), "sent is not answered")
        clock.renewed()
        #expect(clock.deadline == start + .seconds(55))
    }

    @Test("A late answer counts from its own heartbeat, not from the newest one")
    func lateAnswer() {
        var clock = LeaseClock(leaseDuration: .seconds(60), offeredAt: start)
        clock.heartbeatSent(at: start + .seconds(10))
        clock.heartbeatSent(at: start + .seconds(20))
        clock.renewed()
        #expect(clock.deadline == start + .seconds(55))
        clock.renewed()
        #expect(clock.deadline == start + .seconds(65))
        clock.renewed()
        #expect(clock.deadline == start + .seconds(65), "an answer to nothing renews nothing")
    }

    @Test("What was sent on a session that ended is not answered on the next")
    func newSession() {
        var clock = LeaseClock(leaseDuration: .seconds(60), offeredAt: start)
        clock.heartbeatSent(at: start + .seconds(10))
        clock.sessionEnded()
        clock.heartbeatSent(at: start + .seconds(30))
        clock.renewed()
        #expect(clock.deadline == start + .seconds(75))
    }
}
