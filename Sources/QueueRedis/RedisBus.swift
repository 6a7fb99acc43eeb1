import Domain
package import Queue
package import Redis
import ServiceLifecycle
import Synchronization

/// Signals by Redis' publish and subscribe. Run it: what is published before waits.
package final class RedisBus: CoordinatorBus, Service {
    private struct State {
        /// Alike signals are one, so this is bounded by the number of hosts.
        var pending: Set<CoordinatorSignal> = []
    }

    private static let signalsKept = 256

    private let client: RedisClient
    private let keys: RedisKeys
    /// Stands before each signal, so that we do not hear ourselves.
    private let sender: String
    private let state = Mutex(State())
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = keys
        sender = Hexadecimal.text(of: (0..<8).map { _ in UInt8.random(in: .min ... .max) })
        (wakeUps, wakeUp) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    package func publish(_ signal: CoordinatorSignal) {
        _ = state.withLock { $0.pending.insert(signal) }
        wakeUp.yield()
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.wakeUps {
                let pending = self.state.withLock { state in
                    defer { state.pending = [] }
                    return state.pending
                }
                for signal in pending {
                    // Lost ones are made up for by those who look periodically.
                    _ = try? await self.client.send(
                        ["PUBLISH", self.keys.signalChannel, "\(self.sender) \(Self.text(of: signal))"])
                }
            }
        }
    }

    package func signals() -> AsyncStream<CoordinatorSignal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: CoordinatorSignal.self, bufferingPolicy: .bufferingNewest(Self.signalsKept))
        let notices = client.notices()
        let listener = Task { [keys, sender] in
            for await notice in notices {
                guard let signal = Self.signal(in: notice, keys: keys, sender: sender) else { continue }
                if case .dropped = continuation.yield(signal) { continuation.yield(.missed) }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in listener.cancel() }
        return stream
    }

    private static func signal(
        in notice: RedisClient.Notice, keys: RedisKeys, sender: String
    ) -> CoordinatorSignal? {
        guard case .message(let message) = notice else { return .missed }
        guard message.channel == keys.signalChannel else { return nil }
        let words = message.payload.split(separator: " ").map(String.init)
        guard words.count >= 2, words[0] != sender else { return nil }
        let host = words.count == 3 ? HostID(words[2]) : nil
        switch (words[1], host) {
        case ("events", nil): return .events
        case ("desired", nil): return .desiredState
        case ("missed", nil): return .missed
        case ("host", let host?): return .host(host)
        case ("leases", let host?): return .leases(host)
        default: return nil
        }
    }

    private static func text(of signal: CoordinatorSignal) -> String {
        switch signal {
        case .events: "events"
        case .desiredState: "desired"
        case .host(let host): "host \(host)"
        case .leases(let host): "leases \(host)"
        case .missed: "missed"
        }
    }
}
