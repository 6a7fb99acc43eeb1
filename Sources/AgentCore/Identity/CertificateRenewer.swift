import AgentProtocol
package import BlockingIO
package import Domain
package import FleetIdentity
import FoundationEssentials
import GRPCCore
package import Logging
import ServiceLifecycle
import SwiftProtobuf

/// Gets a newer certificate when a third of the life of the present one is over, and again until that works. An agent
/// that was away too long renews with its expired one.
package struct CertificateRenewer: Service {
    package struct Timing: Sendable {
        /// How long after a failure the next try is, at most; doubled from the first to the last.
        package var firstRetry = Duration.seconds(15)
        package var lastRetry = Duration.seconds(900)
        /// How often the wall clock is looked at: it may jump.
        package var pulse = Duration.seconds(60)

        package init() {}
    }

    private let identity: AgentIdentityHolder
    private let store: AgentIdentityStore
    private let connection: CoordinatorConnection
    private let pool: BlockingPool
    private let clock: any WallClock
    private let timing: Timing
    private let logger: Logger
    /// Somebody asked for a renewal now.
    private let asked: AsyncStream<Void>
    private let asking: AsyncStream<Void>.Continuation
    /// Two renewals at once would get in each other's way.
    private let slot = AsyncSlots(1)

    package init(
        identity: AgentIdentityHolder, store: AgentIdentityStore, connection: CoordinatorConnection,
        pool: BlockingPool, clock: any WallClock, timing: Timing = Timing(), logger: Logger
    ) {
        self.identity = identity
        self.store = store
        self.connection = connection
        self.pool = pool
        self.clock = clock
        self.timing = timing
        self.logger = logger
        (asked, asking) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await renewForEver() }
                    group.addTask { await renewWhenAsked() }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            } catch is CancellationError {}
        }
    }

    private func renewForEver() async throws {
        var failures = 0
        while !Task.isCancelled {
            let due = Self.dueTime(of: identity.current.certificate, spread: Double.random(in: 0.95...1.05))
            while clock.now() < due { try await Task.sleep(for: min(timing.pulse, due - clock.now())) }
            do {
                try await renew()
                failures = 0
                // Whatever the clocks say, never one renewal right after the other.
                try await Task.sleep(for: timing.firstRetry)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failures += 1
                logger.warning(
                    "Could not renew the certificate",
                    metadata: [
                        "error": "\(error)", "expires": "\(identity.current.certificate.notAfter)",
                        "failures": "\(failures)",
                    ])
                try await Task.sleep(
                    for: ReconnectDelay(first: timing.firstRetry, last: timing.lastRetry).delay(afterFailures: failures)
                )
            }
        }
    }

    private func renewWhenAsked() async {
        for await _ in asked {
            do {
                // The whole fleet may be asked at once.
                try await Task.sleep(for: .milliseconds(Int64.random(in: 0...2000)))
                try await renew()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("Could not renew the certificate", metadata: ["error": "\(error)"])
            }
        }
        // A service that ends takes the agent with it.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }

    /// When a third of the life is over, give or take what `spread` says.
    static func dueTime(of certificate: AgentCertificate, spread: Double) -> Timestamp {
        let life = certificate.notAfter - certificate.notBefore
        return certificate.notBefore + life / 3 * spread
    }

    /// Renews now. The new key and certificate are on the disk before they are used; until then the old ones are.
    package func renew() async throws {
        try await slot.acquire()
        defer { slot.release() }
        let old = identity.current
        let key = AgentKey()
        let request = try key.signingRequest()
        let reply = try await connection.withChannel(for: .session) { channel in
            var options = CallOptions.defaults
            options.timeout = .seconds(30)
            let response = try await Pagewright_Agent_V1_Enrolment.Client(wrapping: channel.client).renew(
                .with { $0.signingRequest = Data(request) }, options: options)
            return try CertificateReply(wire: response)
        }
        let new = try old.renewed(
            key: key, certificateChain: reply.certificateChain, trustRoots: reply.trustRoots, roles: reply.roles)
        _ = try await FleetTrust(roots: new.trustRoots, trustDomain: new.trustDomain).verifyAgent(
            new.certificateChain, at: clock.now())
        guard new.certificate.notAfter >= old.certificate.notAfter else {
            throw ServiceError(.failedPrecondition, "the new certificate ends before the old one")
        }
        try await pool.run { [store] in try store.save(new) }
        identity.replace(with: new)
        logger.notice(
            "Renewed the certificate",
            metadata: ["serial": "\(new.certificate.serial)", "expires": "\(new.certificate.notAfter)"])
    }
}

extension CertificateRenewer: SessionParticipant {
    package func describe(in hello: inout AgentMessage.Hello) async {}
    package func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {}

    package func receive(_ message: CoordinatorMessage) async {
        if case .renewCertificate = message { asking.yield() }
    }

    package func sessionClosed() async {}
    package func report(in status: inout AgentStatus) async {}
}

extension CertificateRenewer: LocalAnswering {
    package func answer(_ request: LocalRequest) async throws -> [UInt8]? {
        guard request.verb == .rotate else { return nil }
        try await renew()
        let certificate = identity.current.certificate
        return try encoded(
            LocalWord(text: "The certificate was replaced; the new one ends at \(certificate.notAfter)."))
    }
}
