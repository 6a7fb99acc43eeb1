package import Database
package import Domain
package import FleetIdentity
package import Logging
import Metrics
package import Persistence
import Telemetry

/// How machines become members, keep their certificates fresh, and are known again.
package struct HostMembership: Sendable {
    /// A certificate for a host, and whom it shall trust.
    package struct Credential: Sendable {
        package let host: HostID
        package let certificate: IssuedCertificate
        package let trustRoots: [[UInt8]]
        package let roles: Set<HostRole>
    }

    private let database: any SQLDatabase
    private let stores: Stores
    private let authority: CertificateAuthority
    private let desiredState: DesiredState
    private let feed: EventFeed
    private let certificateLifetime: Duration
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, authority: CertificateAuthority, desiredState: DesiredState,
        feed: EventFeed, certificateLifetime: Duration = CertificateAuthority.agentLifetime, clock: any WallClock,
        logger: Logger
    ) {
        self.certificateLifetime = certificateLifetime
        self.database = database
        self.stores = stores
        self.authority = authority
        self.desiredState = desiredState
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    /// Trades a join token's secret for a certificate. Of a thousand askers with one token, one gets it.
    ///
    /// The life of its certificates is a day; tests make it short.
    package func enrol(
        secret: String, signingRequest: [UInt8], hostName: String, agentVersion: String,
        clock hostClock: Timestamp? = nil
    ) async throws -> Credential {
        let hash = try JoinToken.Secret(secret).digest
        let now = clock.now()
        try Self.requireAgreement(of: hostClock ?? now, with: now)
        let name = String(hostName.trimmed.prefix(100))
        let id = HostID(at: now)
        let certificate = try authority.issueAgentCertificate(
            for: id, signingRequest: signingRequest, validity: certificateLifetime, isJoining: true, at: now)
        let host = try await database.withTransaction { transaction in
            guard
                let roles = try await stores.hosts.redeemInvitation(
                    secretHash: hash, for: id, at: now, in: transaction)
            else {
                let problem = try await stores.hosts.invitationProblem(secretHash: hash, in: transaction)
                throw ServiceError(
                    .unauthenticated, "the join token is \(problem)", field: "token", rule: "token-\(problem)",
                    nextStep: "Make a new one with: pagewright host invite.")
            }
            var host = Host(
                id: id, name: name.isEmpty ? id.text : name, roles: roles,
                agentVersion: String(agentVersion.prefix(40)), certificateSerial: certificate.serial,
                certificateExpiresAt: certificate.notAfter, createdAt: now)
            host.certificateIssuer = certificate.issuer
            try await stores.hosts.insert(host, in: transaction)
            if roles.contains(.serving) { try await desiredState.placeAll(on: id, at: now, in: transaction) }
            try await AuditTrail(stores: stores).record(
                .hostEnrolled, on: id.text, by: .host(id),
                [
                    "name": host.name, "roles": roles.map(\.rawValue).sorted().joined(separator: ","),
                    "certificate": certificate.serial, "invitation": String(hash.prefix(12)),
                ], at: now, in: transaction)
            try await feed.append(
                .hostChanged, owner: nil, site: nil,
                body: ["host_id": EventValue(id), "state": "active", "connected": false], at: now, in: transaction)
            return host
        }
        feed.announce()
        MetricsSystem.factory.increment(.certificatesIssued)
        logger.notice("Host joined", metadata: ["host.id": "\(id)", "host.name": "\(host.name)"])
        return Credential(host: id, certificate: certificate, trustRoots: authority.trustRoots, roles: host.roles)
    }

    /// Gives a member a newer certificate. The one in use stays good until the newer one was seen.
    package func renew(_ id: HostID, signingRequest: [UInt8]) async throws -> Credential {
        let now = clock.now()
        let certificate = try authority.issueAgentCertificate(
            for: id, signingRequest: signingRequest, validity: certificateLifetime, at: now)
        let host = try await database.withTransaction { transaction in
            guard var host = try await stores.hosts.find(id, in: transaction), !host.state.isShutOut else {
                throw Self.unknown(id)
            }
            host.certificateIssuer = certificate.issuer
            host.pendingSerial = certificate.serial
            host.certificateExpiresAt = certificate.notAfter
            try await stores.hosts.save(host, in: transaction)
            try await AuditTrail(stores: stores).record(
                .certificateIssued, on: id.text, by: .host(id), ["certificate": certificate.serial], at: now,
                in: transaction)
            return host
        }
        MetricsSystem.factory.increment(.certificatesIssued)
        logger.info("Renewed certificate", metadata: ["host.id": "\(id)"])
        return Credential(host: id, certificate: certificate, trustRoots: authority.trustRoots, roles: host.roles)
    }

    /// A host whose clock is off by more than this would take its certificate for one that has ended, or not begun.
    private static let clockTolerance = Duration.seconds(1800)

    private static func requireAgreement(of host: Timestamp, with now: Timestamp) throws(ServiceError) {
        let lead = host - now
        guard lead > clockTolerance || lead < .zero - clockTolerance else { return }
        throw ServiceError(
            .failedPrecondition,
            "the clock of this host says \(host), \(abs(lead.components.seconds)) s \(lead > .zero ? "after" : "before") "
                + "the coordinator's \(now)", rule: "clock-wrong",
            nextStep: "Set it, best with a time service such as chrony; the token is still good.")
    }

    /// An expired certificate may ask for a newer one for so long, and for nothing else.
    package static let recoveryWindow = Duration.seconds(14 * 86_400)

    /// Whether a certificate that TLS believed is still the host's: not revoked, not replaced. For every call.
    @discardableResult
    package func admit(_ id: HostID, serial: String) async throws -> Host {
        let (host, isNewCertificate) = try await database.read { transaction in
            guard var host = try await stores.hosts.find(id, in: transaction) else { throw Self.unknown(id) }
            let isNew = try host.admit(serial: serial)
            return (host, isNew)
        }
        guard isNewCertificate else { return host }
        return try await database.withTransaction { transaction in
            guard var host = try await stores.hosts.find(id, in: transaction) else { throw Self.unknown(id) }
            _ = try host.admit(serial: serial)
            try await stores.hosts.save(host, in: transaction)
            return host
        }
    }

    /// Throws `unauthenticated` when the host was shut out meanwhile, whatever certificate it came with.
    package func confirm(_ id: HostID) async throws {
        let host = try await database.read { try await stores.hosts.find(id, in: $0) }
        guard let host, !host.state.isShutOut else { throw Self.unknown(id) }
    }

    private static func unknown(_ id: HostID) -> ServiceError {
        ServiceError(
            .unauthenticated, "the host \(id) is not a member", rule: "host-unknown",
            nextStep: "Invite it with: pagewright host invite.")
    }
}
