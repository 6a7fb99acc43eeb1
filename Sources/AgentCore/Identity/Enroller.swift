import AgentProtocol
package import BlockingIO
package import Domain
package import FleetIdentity
import FoundationEssentials
import GRPCCore
import SwiftProtobuf

/// Makes this host a member of a fleet, by a join token.
package struct Enroller: Sendable {
    private let store: AgentIdentityStore
    private let pool: BlockingPool
    private let clock: any WallClock

    package init(store: AgentIdentityStore, pool: BlockingPool, clock: any WallClock) {
        self.store = store
        self.pool = pool
        self.clock = clock
    }

    /// Trades the token for an identity and saves it. The token is spent only when this host can save what it gets, and
    /// only at the coordinator whose key the token names.
    package func join(
        coordinator: String, token: JoinToken, hostName: String, agentVersion: String,
        timeout: Duration = .seconds(30)
    ) async throws -> AgentIdentity {
        let addresses = try CoordinatorAddresses(coordinator)
        let hasIdentity = try await pool.run { [store] in
            if store.exists { return true }
            try store.prepare()
            return false
        }
        guard !hasIdentity else {
            throw ServiceError(
                .alreadyExists, "this host belongs to a fleet already", rule: "already-joined",
                nextStep: "To join another fleet, stop the agent and give it another state folder.")
        }
        let key = AgentKey()
        let request = try key.signingRequest()
        let connection = CoordinatorConnection(joining: addresses, pin: token.pin, clock: clock)
        let reply = try await connection.withChannel(for: .session) { channel in
            var options = CallOptions.defaults
            options.timeout = timeout
            do {
                let response = try await Pagewright_Agent_V1_Enrolment.Client(wrapping: channel.client).enrol(
                    .with {
                        $0.token = token.secret.text
                        $0.signingRequest = Data(request)
                        $0.hostName = hostName
                        $0.agentVersion = agentVersion
                        $0.clockMs = clock.now().millisecondsSinceEpoch
                    }, options: options)
                return try CertificateReply(wire: response)
            } catch {
                throw Self.explained(channel.explain(error))
            }
        }
        let identity = try AgentIdentity(
            key: key, certificateChain: reply.certificateChain, trustRoots: reply.trustRoots,
            coordinator: addresses.text, hostName: hostName, roles: reply.roles)
        // What we trust from now on must contain the authority that the operator told us of, and it must have signed us.
        // The newer authorities beside it are its own word.
        _ = try FleetTrust(pin: token.pin, presented: reply.trustRoots)
        _ = try await FleetTrust(roots: reply.trustRoots).verifyAgent(reply.certificateChain, at: clock.now())
        try await pool.run { [store] in try store.save(identity) }
        return identity
    }

    /// A refused token always comes with what to do about it.
    private static func explained(_ error: any Error) -> any Error {
        guard let error = error as? ServiceError, error.nextStep == nil else { return error }
        switch error.code {
        case .unauthenticated, .permissionDenied, .notFound, .conflict, .failedPrecondition:
            return ServiceError(
                error.code, "the coordinator refused the join token: \(error.message)", field: "token",
                rule: error.rule ?? "token-refused",
                nextStep: "A token works once and for ten minutes. Make a new one with: pagewright host invite.",
                cause: error)
        default:
            return error
        }
    }
}
