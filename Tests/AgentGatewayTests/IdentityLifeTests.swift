import AgentCore
import BlockingIO
import Coordinator
import Domain
import FleetIdentity
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

/// Certificates from the first to the last, over the real protocol, on short lives.
@Suite struct IdentityLifeTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let pool = BlockingPool(label: "test.identity", width: 2)

    /// A member with its files.
    private struct Member: Sendable {
        let holder: AgentIdentityHolder
        let renewer: CertificateRenewer
        let probe: CoordinatorProbe

        var host: HostID { holder.current.host }
    }

    private static func join(_ fixture: CoordinatorFixture, _ name: String) async throws -> Member {
        let store = AgentIdentityStore(directory: "\(fixture.folder)/\(name)")
        let identity = try await Enroller(store: store, pool: pool, clock: HostClock()).join(
            coordinator: "127.0.0.1:\(fixture.port)", token: try JoinToken(try await fixture.invite()),
            hostName: name, agentVersion: "1.0.0")
        let holder = AgentIdentityHolder(identity)
        let connection = try CoordinatorConnection(identity: holder, clock: HostClock())
        return Member(
            holder: holder,
            renewer: CertificateRenewer(
                identity: holder, store: store, connection: connection, pool: pool, clock: HostClock(), logger: quiet),
            probe: CoordinatorProbe(connection: connection))
    }

    private static func refusal(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch let error as ServiceError {
            return error.rule ?? error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    @Test("A host whose certificate has ended gets a newer one by itself")
    func expired() async throws {
        var settings = CoordinatorSettings()
        // Long enough to arrive and be used on a busy machine.
        settings.certificateLifetime = .seconds(8)
        try await CoordinatorFixture.run(settings: settings) { fixture in
            let member = try await Self.join(fixture, "web-1")
            let old = member.holder.current.certificate
            while HostClock().now() <= old.notAfter { try await Task.sleep(for: .milliseconds(100)) }
            try await member.renewer.renew()
            #expect(member.holder.current.certificate.notAfter > old.notAfter)
            #expect(member.holder.current.certificate.serial != old.serial)
            #expect(member.host == old.host)
        }
    }

    @Test("A host whose clock is two days ahead is refused before its token is spent, and told to set the clock")
    func clockAhead() async throws {
        try await CoordinatorFixture.run { fixture in
            let clock = LateClock()
            clock.advance(to: .seconds(2 * 86_400))
            let token = try JoinToken(try await fixture.invite())
            func join(_ clock: any WallClock) async throws {
                let store = AgentIdentityStore(directory: "\(fixture.folder)/web-1")
                _ = try await Enroller(store: store, pool: Self.pool, clock: clock).join(
                    coordinator: "127.0.0.1:\(fixture.port)", token: token, hostName: "web-1", agentVersion: "1.0.0")
            }
            #expect(await Self.refusal { try await join(clock) } == "clock-wrong")
            #expect(await Self.refusal { try await join(HostClock()) } == nil)
        }
    }

    @Test("A revoked host is refused, also with a certificate that has not ended")
    func revoked() async throws {
        try await CoordinatorFixture.run { fixture in
            let member = try await Self.join(fixture, "web-1")
            #expect(await Self.refusal { try await member.probe.run() } == nil)
            _ = try await fixture.services.hosts.revoke(member.host, for: fixture.admin)
            #expect(await Self.refusal { try await member.renewer.renew() } == "host-revoked")
        }
    }

    @Test("A certificate that was issued and lost on its way locks nobody out, however often that happens")
    func lostOnTheWay() async throws {
        try await CoordinatorFixture.run { fixture in
            let member = try await Self.join(fixture, "web-1")
            let old = member.holder.current.certificate.serial
            for _ in 0..<3 {
                // As an agent that dies between the answer and its disk.
                _ = try await fixture.services.membership.renew(
                    member.host, signingRequest: try AgentKey().signingRequest())
                #expect(await Self.refusal { try await member.probe.run() } == nil)
            }
            #expect(member.holder.current.certificate.serial == old)
            try await member.renewer.renew()
            #expect(member.holder.current.certificate.serial != old)
            #expect(await Self.refusal { try await member.probe.run() } == nil)
        }
    }

    /// The coordinator's clock, as if so much time had passed.
    private final class LateClock: WallClock {
        private let lead = Mutex(Duration.zero)
        func advance(to lead: Duration) { self.lead.withLock { $0 = lead } }
        func now() -> Timestamp { HostClock().now() + lead.withLock { $0 } }
    }

    @Test("A host may be away for fourteen days after its certificate ended, and not for longer")
    func window() async throws {
        let clock = LateClock()
        try await CoordinatorFixture.run(gatewayClock: clock) { fixture in
            let member = try await Self.join(fixture, "web-1")
            let other = try await Self.join(fixture, "web-2")
            clock.advance(to: .seconds(14 * 86_400))
            try await member.renewer.renew()
            clock.advance(to: .seconds(16 * 86_400))
            #expect(await Self.refusal { try await other.renewer.renew() } != nil)
        }
    }

    @Test("The authority is replaced while hosts are there, and one that was away the whole time comes back")
    func rotation() async throws {
        try await CoordinatorFixture.run { fixture in
            let present = try await Self.join(fixture, "web-1")
            let away = try await Self.join(fixture, "web-2")
            let authority = fixture.authority
            let oldRoots = away.holder.current.trustRoots
            try authority.prepareRotation(at: HostClock().now())
            try await present.renewer.renew()
            #expect(present.holder.current.trustRoots.count == 2)
            try authority.switchRotation()
            try await present.renewer.renew()
            // Joins with a token that names the old key, and gets along.
            let late = try await Self.join(fixture, "web-3")
            try await late.renewer.renew()
            // It knows the old key only, and renews.
            #expect(away.holder.current.trustRoots == oldRoots)
            try await away.renewer.renew()
            try authority.retireRotation()
            for member in [present, away, late] {
                #expect(await Self.refusal { try await member.probe.run() } == nil)
                try await member.renewer.renew()
                #expect(member.holder.current.trustRoots == [authority.root])
            }
        }
    }

    @Test("The coordinator asks for nothing more of a host than it knows: a stranger's certificate is cut off")
    func stranger() async throws {
        try await CoordinatorFixture.run { fixture in
            let member = try await Self.join(fixture, "web-1")
            let other = try CertificateAuthority.loadOrCreate(
                inDirectory: fixture.folder + "/other", at: HostClock().now())
            let key = AgentKey()
            let issued = try other.issueAgentCertificate(
                for: member.host, signingRequest: key.signingRequest(), at: HostClock().now())
            let impostor = try AgentIdentity(
                key: key, certificateChain: issued.chain, trustRoots: member.holder.current.trustRoots,
                coordinator: member.holder.current.coordinator, hostName: "x", roles: [.serving])
            let probe = CoordinatorProbe(
                connection: try CoordinatorConnection(identity: AgentIdentityHolder(impostor), clock: HostClock()))
            #expect(await Self.refusal { try await probe.run(timeout: .seconds(10)) } != nil)
        }
    }
}
