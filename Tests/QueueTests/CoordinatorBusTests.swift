import Domain
import Queue
import Testing

/// What every bus does; each test runs against every ``QueueDriver``.
@Suite struct CoordinatorBusTests {
    @Test("The others hear every kind of signal, and nobody hears themselves", arguments: QueueDriver.allCases)
    func hearing(driver: QueueDriver) async throws {
        let host = HostID(at: Timestamp(millisecondsSinceEpoch: 1))
        let all: Set<CoordinatorSignal> = [.events, .desiredState, .host(host), .leases(host)]
        try await driver.withTwoBuses { one, other in
            let (mine, theirs) = (one.signals(), other.signals())
            for signal in all { one.publish(signal) }
            var heard: Set<CoordinatorSignal> = []
            for await signal in theirs where signal != .missed {
                heard.insert(signal)
                if heard == all { break }
            }
            #expect(heard == all)
            other.publish(.events)
            for await signal in mine where signal != .missed {
                // The first that comes is the other's: our own four came before it, if they came at all.
                #expect(signal == .events)
                break
            }
        }
    }

    @Test("Who does not listen costs nothing but the news", arguments: QueueDriver.allCases)
    func overflow(driver: QueueDriver) async throws {
        try await driver.withTwoBuses { one, other in
            let signals = other.signals()
            let hosts = (0..<2000).map { HostID(at: Timestamp(millisecondsSinceEpoch: Int64($0))) }
            for host in hosts { one.publish(.host(host)) }
            one.publish(.events)
            // However much was lost, it is known that something was, or all of it came.
            var heard = 0
            for await signal in signals {
                heard += 1
                if signal == .missed || heard == hosts.count { break }
            }
            #expect(heard <= hosts.count)
        }
    }
}
