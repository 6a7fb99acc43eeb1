package import Domain

/// Everything that makes a host a member of the fleet.
package struct AgentIdentity: Sendable {
    package let key: AgentKey
    /// DER, leaf first.
    package let certificateChain: [[UInt8]]
    /// DER; what the coordinator's certificate must be signed by.
    package let trustRoots: [[UInt8]]
    /// Where the coordinator listens for agents: `host:port`.
    package let coordinator: String
    /// What operators call the host.
    package let hostName: String
    package let roles: Set<HostRole>
    package let trustDomain: TrustDomain
    /// Read from the certificate.
    package let certificate: AgentCertificate

    package var host: HostID { certificate.host }

    /// Refuses a certificate that is not for `key`, or is not an agent's.
    package init(
        key: AgentKey, certificateChain: [[UInt8]], trustRoots: [[UInt8]], coordinator: String, hostName: String,
        roles: Set<HostRole>, trustDomain: TrustDomain = .standard
    ) throws(ServiceError) {
        guard let leaf = certificateChain.first, key.belongs(to: leaf) else {
            throw ServiceError(
                .invalidArgument, "the certificate is not for the agent's key", field: "certificate_chain",
                rule: "certificate-key")
        }
        _ = try FleetTrust(roots: trustRoots, trustDomain: trustDomain)
        certificate = try AgentCertificate(der: leaf, trustDomain: trustDomain)
        self.key = key
        self.certificateChain = certificateChain
        self.trustRoots = trustRoots
        self.coordinator = coordinator
        self.hostName = hostName
        self.roles = roles
        self.trustDomain = trustDomain
    }

    /// The same host with a newer certificate. Another host's is refused.
    package func renewed(
        key: AgentKey, certificateChain: [[UInt8]], trustRoots: [[UInt8]], roles: Set<HostRole>
    ) throws(ServiceError) -> AgentIdentity {
        let identity = try AgentIdentity(
            key: key, certificateChain: certificateChain, trustRoots: trustRoots, coordinator: coordinator,
            hostName: hostName, roles: roles, trustDomain: trustDomain)
        guard identity.host == host else {
            throw ServiceError(
                .invalidArgument, "the certificate is one of \(identity.host), not of \(host)",
                field: "certificate_chain", rule: "certificate-name")
        }
        return identity
    }
}
