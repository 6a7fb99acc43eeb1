import AgentProtocol
import Coordinator
import Domain
import GRPCCore
import SwiftProtobuf

/// The stream that each agent keeps open.
struct SessionGateway: Pagewright_Agent_V1_Session.SimpleServiceProtocol {
    let sessions: AgentSessions
    let identity: AgentIdentityCheck
    let connections: PeerConnections

    func open(
        request: RPCAsyncSequence<Pagewright_Agent_V1_AgentFrame, any Error>,
        response: RPCWriter<Pagewright_Agent_V1_CoordinatorFrame>, context: ServerContext
    ) async throws {
        let host = try await PassingTask.run { try await identity.host(context) }
        do {
            try await sessions.serve(
                host,
                incoming: request.compactMap { frame in
                    // Of a newer agent: what this coordinator does not know says nothing to it.
                    frame.frame == nil ? nil : try AgentMessage(wire: frame)
                },
                send: { try await response.write($0.wire) })
        } catch let error as ServiceError where error.code == .unavailable {
            // A peer that fell silent would never notice a polite end of the stream.
            connections.cut(context.remotePeer)
            throw error
        }
    }
}
