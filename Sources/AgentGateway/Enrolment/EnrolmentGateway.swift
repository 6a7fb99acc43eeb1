import AgentProtocol
import Coordinator
import Domain
import FleetIdentity
import GRPCCore
import SwiftProtobuf

/// How hosts become members and renew their certificates.
struct EnrolmentGateway: Pagewright_Agent_V1_Enrolment.SimpleServiceProtocol {
    let membership: HostMembership
    let identity: AgentIdentityCheck

    func enrol(
        request: Pagewright_Agent_V1_EnrolRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_CertificateResponse {
        let credential = try await membership.enrol(
            secret: request.token, signingRequest: Array(request.signingRequest), hostName: request.hostName,
            agentVersion: request.agentVersion,
            clock: request.clockMs == 0 ? nil : Timestamp(millisecondsSinceEpoch: request.clockMs))
        return Self.reply(credential)
    }

    func renew(
        request: Pagewright_Agent_V1_RenewRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_CertificateResponse {
        let host = try await identity.host(context, grace: HostMembership.recoveryWindow)
        return Self.reply(try await membership.renew(host, signingRequest: Array(request.signingRequest)))
    }

    private static func reply(_ credential: HostMembership.Credential) -> Pagewright_Agent_V1_CertificateResponse {
        CertificateReply(
            host: credential.host, certificateChain: credential.certificate.chain,
            trustRoots: credential.trustRoots, notBefore: credential.certificate.notBefore,
            notAfter: credential.certificate.notAfter, roles: credential.roles
        ).wire
    }
}
