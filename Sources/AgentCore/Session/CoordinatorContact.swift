package import Domain
import Synchronization

/// What is known of the way to the coordinator; for the status of the agent.
package final class CoordinatorContact: Sendable {
    package struct Facts: Sendable {
        package var isConnected = false
        package var sessionEpoch: Int64?
        package var lastContactAt: Timestamp?
        /// Why there is no session now.
        package var failure: ServiceError?
    }

    private let state = Mutex(Facts())
    private let clock: any WallClock

    package init(clock: any WallClock) {
        self.clock = clock
    }

    package var facts: Facts { state.withLock { $0 } }

    func opened(epoch: Int64) {
        let now = clock.now()
        state.withLock {
            $0.isConnected = true
            $0.sessionEpoch = epoch
            $0.lastContactAt = now
            $0.failure = nil
        }
    }

    func heard() {
        let now = clock.now()
        state.withLock { $0.lastContactAt = now }
    }

    func closed(because failure: ServiceError?) {
        state.withLock {
            $0.isConnected = false
            $0.failure = failure
        }
    }
}
