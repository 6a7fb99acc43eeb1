import AgentProtocol
import Coordinator
import Domain
import GRPCCore

/// What workers' browsers saw of versions.
struct ChecksGateway: Pagewright_Agent_V1_Checks.SimpleServiceProtocol {
    let checks: PageCheckService
    let identity: AgentIdentityCheck

    func report(
        request: Pagewright_Agent_V1_ReportChecksRequest, context: ServerContext
    ) async throws -> Pagewright_Agent_V1_ReportChecksResponse {
        let host = try await identity.host(context)
        let lease = try JobLease(wire: try Field.present(request.hasLease, request.lease, "lease"))
        try await checks.report(try PageChecks(wire: request), of: lease, from: host)
        return .init()
    }
}
