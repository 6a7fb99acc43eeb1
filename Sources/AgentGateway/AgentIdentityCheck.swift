import Coordinator
import Domain
import FleetIdentity
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Who calls, read from the certificate of the connection and from nothing else. Asked for in every call.
struct AgentIdentityCheck: Sendable {
    let membership: HostMembership
    let trustDomain: TrustDomain
    let clock: any WallClock

    /// The host that calls. Throws `unauthenticated` when there is no certificate, when it is not an agent's, or when
    /// the host was revoked or has a newer one. One that ended no longer than `grace` ago is good too: with it a host that
    /// was away gets a newer one.
    func host(_ context: ServerContext, grace: Duration = .zero) async throws -> HostID {
        guard let posix = context.transportSpecific as? HTTP2ServerTransport.Posix.Context,
            let certificate = posix.peerCertificate
        else {
            throw ServiceError(
                .unauthenticated, "this call needs the certificate of an agent", rule: "certificate-missing",
                nextStep: "Join the fleet first: pagewright-agent join.")
        }
        let agent = try AgentCertificate(certificate, trustDomain: trustDomain)
        guard clock.now() - agent.notAfter <= grace else {
            throw ServiceError(
                .unauthenticated, "the certificate ended at \(agent.notAfter)", rule: "certificate-expired",
                nextStep: grace == .zero
                    ? "The agent gets a newer one by itself; that works for 14 days."
                    : "It ended too long ago; invite the host again with: pagewright host invite.")
        }
        try await membership.admit(agent.host, serial: agent.serial)
        return agent.host
    }
}
