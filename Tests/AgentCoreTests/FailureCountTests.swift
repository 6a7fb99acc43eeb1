import Testing

@testable import AgentCore

@Suite("How many failures in a row sessions count as")
struct FailureCountTests {
    private func count(
        _ sessions: Int, lasting duration: Duration, wasOpen: Bool = true, wasSilent: Bool = false,
        from start: FailureCount = FailureCount()
    ) -> FailureCount {
        var count = start
        for _ in 0..<sessions {
            count.note(lasting: duration, stable: .seconds(10), wasOpen: wasOpen, wasSilent: wasSilent)
        }
        return count
    }

    @Test("Connections that never open wait longer each time; sessions that open, up to four")
    func growth() {
        #expect(count(9, lasting: .seconds(1), wasOpen: false).failures == 9)
        #expect(count(9, lasting: .seconds(1)).failures == 4)
    }

    @Test("A session that lasted is a good one, whatever was before")
    func stable() {
        let before = count(9, lasting: .seconds(1), wasOpen: false)
        #expect(count(1, lasting: .seconds(10), from: before).failures == 1)
    }

    @Test("Sessions that open and end in silence wait longer each time, unless they lasted for minutes")
    func silence() {
        let storm = count(7, lasting: .seconds(31), wasSilent: true)
        #expect(storm.failures == 7)
        #expect(count(1, lasting: .seconds(120), wasSilent: true, from: storm).failures == 1)
        #expect(count(1, lasting: .seconds(31), from: storm).failures == 1)
    }
}
