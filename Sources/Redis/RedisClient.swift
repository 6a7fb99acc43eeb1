package import Domain
package import Logging
import Metrics
import NIOSSL
import ServiceLifecycle
import Synchronization
import Telemetry

/// Keeps one connection for commands and one for messages, for as long as it is run, and makes new ones when they are
/// lost. Nothing waits for a server that is gone: commands fail at once until it is back.
package final class RedisClient: Service {
    package enum Notice: Sendable, Equatable {
        /// Messages before this may have been missed.
        case subscribed
        case message(RedisMessage)
    }

    private struct State {
        var connection: RedisConnection?
        var listeners: [Int: AsyncStream<Notice>.Continuation] = [:]
        var nextListener = 0
        var isSubscribed = false
        /// Why there was no connection when it was tried last.
        var problem: RedisError?
    }

    private static let noticesKept = 1024

    private let configuration: RedisConfiguration
    private let channels: [String]
    private let tls: NIOSSLContext?
    private let logger: Logger
    private let state = Mutex(State())

    /// `channels` are those whose messages are wanted. Throws when the authorities of the address cannot be read.
    package init(_ configuration: RedisConfiguration, channels: [String], logger: Logger) throws(ServiceError) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
        tls = configuration.address.isEncrypted ? try Self.tlsContext(configuration.address) : nil
    }

    private static func tlsContext(_ address: RedisAddress) throws(ServiceError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = address.trustFile { tls.trustRoots = .file(file) }
        do {
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw ServiceError(
                .invalidArgument, "the authorities for Redis in \(address.trustFile ?? "the system") cannot be read",
                field: "redis", rule: "redis-trust", cause: error)
        }
    }

    package var isConnected: Bool { state.withLock { $0.connection != nil } }

    /// Sends a command. Throws ``RedisError``, after the time limit at the latest.
    package func send(_ command: RedisCommand) async throws -> RedisReply {
        guard let connection = state.withLock({ $0.connection }) else { throw RedisError.notConnected }
        let start = ContinuousClock.now
        defer { MetricsSystem.factory.observe(.redisCommandSeconds, ContinuousClock.now - start) }
        return try await connection.send(command)
    }

    /// Everything that is published from now on. When more waits than is kept, the oldest is forgotten.
    package func notices() -> AsyncStream<Notice> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Notice.self, bufferingPolicy: .bufferingNewest(Self.noticesKept))
        let number = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    private func tell(_ notice: Notice) {
        for listener in state.withLock({ Array($0.listeners.values) }) {
            // Whoever is slow is told that something is missing.
            if case .dropped = listener.yield(notice) { listener.yield(.subscribed) }
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keep(isSubscriber: false) }
                if !self.channels.isEmpty { group.addTask { await self.keep(isSubscriber: true) } }
            }
        }
    }

    private func keep(isSubscriber: Bool) async {
        var failures = 0
        var wasConnected = true
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var problem: (any Error)?
            do {
                let connection = try await open(isSubscriber: isSubscriber)
                logger.info(
                    "Connected to Redis",
                    metadata: ["address": "\(connection.endpoint)", "purpose": "\(Self.purpose(isSubscriber))"])
                wasConnected = true
                begin(connection, isSubscriber: isSubscriber)
                problem = await watch(connection)
                end(connection, isSubscriber: isSubscriber)
            } catch {
                problem = error
            }
            guard !Task.isCancelled else { return }
            note(problem)
            failures = ContinuousClock.now - start > .seconds(5) ? 1 : failures + 1
            if wasConnected {
                logger.warning(
                    "Redis is out of reach",
                    metadata: [
                        "purpose": "\(Self.purpose(isSubscriber))", "error": "\(problem ?? RedisError.notConnected)",
                    ])
                wasConnected = false
            }
            let bound = min(configuration.lastDelay, configuration.firstDelay * (1 << min(16, failures)))
            // Ends early when cancelled.
            try? await Task.sleep(for: bound * Double.random(in: 0...1))
        }
    }

    private static func purpose(_ isSubscriber: Bool) -> String { isSubscriber ? "messages" : "commands" }

    private func begin(_ connection: RedisConnection, isSubscriber: Bool) {
        if isSubscriber {
            state.withLock { $0.isSubscribed = true }
            tell(.subscribed)
        } else {
            state.withLock { state in
                state.connection = connection
                state.problem = nil
            }
            MetricsSystem.factory.set(.redisConnected, to: 1)
        }
    }

    private func end(_ connection: RedisConnection, isSubscriber: Bool) {
        connection.close()
        if isSubscriber {
            state.withLock { $0.isSubscribed = false }
        } else {
            state.withLock { $0.connection = nil }
            MetricsSystem.factory.set(.redisConnected, to: 0)
        }
    }

    private func note(_ problem: (any Error)?) {
        let problem = problem as? RedisError ?? .notConnected
        state.withLock { $0.problem = problem }
    }

    /// Why there is no connection; `nil` while there is one.
    package var problem: RedisError? { state.withLock { $0.connection == nil ? $0.problem ?? .notConnected : nil } }

    /// Connects once and lets go again. Throws what is wrong, mostly ``RedisError``.
    package func probe() async throws {
        try await open(isSubscriber: false).close()
    }

    /// Whether both connections work; for tests and for readiness.
    package var isComplete: Bool {
        state.withLock { $0.connection != nil && ($0.isSubscribed || channels.isEmpty) }
    }

    /// Connects, says who we are, and makes sure that it is a server that takes writes.
    private func open(isSubscriber: Bool) async throws -> RedisConnection {
        let endpoint: RedisEndpoint
        var mustBeMaster = false
        switch configuration.address.place {
        case .server(let server): endpoint = server
        case .sentinels(let endpoints, let master):
            endpoint = try await RedisSentinels(
                endpoints: endpoints, master: master, configuration: configuration, tls: tls
            ).findMaster()
            mustBeMaster = true
        }
        let listener: @Sendable (RedisMessage) -> Void = { [weak self] in self?.tell(.message($0)) }
        let connection = try await RedisConnection.open(
            to: endpoint, configuration: configuration, tls: tls, onMessage: isSubscriber ? listener : nil)
        do {
            try await connection.authenticate(configuration)
            if configuration.address.database != 0 {
                _ = try await connection.send(["SELECT", "\(configuration.address.database)"])
            }
            _ = try await connection.send(["PING"])
            if mustBeMaster {
                let role = try await connection.send(["ROLE"])
                guard role.list?.first?.text == "master" else {
                    throw RedisError.refused("\(endpoint) is no master now")
                }
            }
            if isSubscriber { for channel in channels { _ = try await connection.send(["SUBSCRIBE", channel]) } }
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    /// Asks now and then whether the server is there; returns why it is not any more.
    private func watch(_ connection: RedisConnection) async -> (any Error)? {
        await withTaskGroup(of: (any Error)?.self) { [configuration] group in
            group.addTask {
                await connection.waitUntilClosed()
                return RedisError.connectionLost("it was closed")
            }
            group.addTask {
                while true {
                    do {
                        try await Task.sleep(for: configuration.pulse)
                        _ = try await connection.send(["PING"])
                    } catch {
                        return error
                    }
                }
            }
            defer {
                connection.close()
                group.cancelAll()
            }
            return await group.next() ?? nil
        }
    }
}
