import Domain
import ServiceLifecycle
import Synchronization

/// A channel that is there as long as the agent runs. A new certificate gets a new connection, because the coordinator
/// refuses calls with one that was replaced; calls that run on the old connection end there. So does another coordinator,
/// when the agent went to that.
final class RenewingChannel: Service {
    private let identity: AgentIdentityHolder
    private let connection: CoordinatorConnection
    private let current: Mutex<CoordinatorChannel>

    init(identity: AgentIdentityHolder, connection: CoordinatorConnection) throws {
        self.identity = identity
        self.connection = connection
        current = Mutex(try connection.makeChannel(for: .blobs))
    }

    /// The channel for the next call. Calls wait until it is run.
    var channel: CoordinatorChannel { current.withLock { $0 } }

    func run() async throws {
        let (reasons, reason) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let sources = [identity.replacements(), connection.addresses.changes()]
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for source in sources { group.addTask { for await _ in source { reason.yield() } } }
                let first = self.channel
                if first.address != self.connection.addresses.current { reason.yield() }
                group.addTask { await first.run() }
                for await _ in reasons {
                    guard let next = try? self.connection.makeChannel(for: .blobs) else { continue }
                    let old = self.current.withLock { current in
                        defer { current = next }
                        return current
                    }
                    group.addTask { await next.run() }
                    old.retire()
                }
                group.cancelAll()
            }
        }
    }
}
