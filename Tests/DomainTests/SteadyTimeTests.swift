import Domain
import Testing

@Suite struct SteadyTimeTests {
    private static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    @Test("A jump of the wall clock moves it by a twentieth of the time that passes", arguments: [3600, -3600])
    func jump(seconds: Int) {
        var time = SteadyTime()
        #expect(time.now(wall: Self.start, elapsed: .seconds(5)) == Self.start)
        let later = time.now(wall: Self.start + .seconds(60 + seconds), elapsed: .seconds(65))
        #expect(later - Self.start == .seconds(60) + .seconds(seconds > 0 ? 3 : -3))
    }

    @Test("A jump back and forth leaves no trace")
    func thereAndBack() {
        var time = SteadyTime()
        _ = time.now(wall: Self.start, elapsed: .zero)
        _ = time.now(wall: Self.start + .seconds(315_360_004), elapsed: .seconds(4))
        let after = time.now(wall: Self.start + .seconds(104), elapsed: .seconds(104))
        #expect(after == Self.start + .seconds(104))
    }

    @Test("It never goes back, however often it is read")
    func monotonic() {
        var time = SteadyTime()
        var last = time.now(wall: Self.start, elapsed: .zero)
        for step in 1...2000 {
            let wall = Self.start + .milliseconds(step * 3 - (step % 7 == 0 ? 3_600_000 : 0))
            let next = time.now(wall: wall, elapsed: .milliseconds(step * 3))
            #expect(next >= last)
            last = next
        }
    }
}
