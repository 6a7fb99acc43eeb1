import Domain
import Testing

@Suite struct PulseWatchTests {
    private let start = ContinuousClock.now

    @Test("A coordinator is gone when its pulse stood still for the patience, and back when it goes on")
    func silence() {
        var watch = PulseWatch<ContinuousClock.Instant>()
        func silent(_ pulses: [String: Int64], _ seconds: Int) -> Set<String> {
            watch.silent(among: pulses, at: start + .seconds(seconds), patience: .seconds(16))
        }
        #expect(silent(["a": 1, "b": 7], 0).isEmpty)
        #expect(silent(["a": 4, "b": 7], 16).isEmpty)
        #expect(silent(["a": 5, "b": 7], 17) == ["b"])
        #expect(silent(["a": 6, "b": 8], 18).isEmpty)
        #expect(silent(["a": 6], 40) == ["a"])
        #expect(silent(["a": 6, "b": 8], 41) == ["a"], "one that comes again is new")
    }

    @Test("What changes a little on a disk is not worth a row; everything else is")
    func differences() {
        func session(slots: Int = 1, free: Int64? = 50_000) -> HostPresence {
            HostPresence(
                host: HostID(unchecked: "host_1"), coordinator: "a", epoch: 1, isWorker: true, engines: [.builtin],
                slots: slots, diskFreeBytes: free, diskTotalBytes: 100_000)
        }
        #expect(!session().differs(from: session(free: 50_900)))
        #expect(session().differs(from: session(free: 51_100)))
        #expect(session().differs(from: session(free: nil)))
        #expect(session().differs(from: session(slots: 2)))
    }
}
