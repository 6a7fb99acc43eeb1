import AgentProtocol
package import Domain
import GRPCCore

extension BlobClient: CheckReporting {
    /// On the same connection as the pictures that it is about.
    package func report(_ checks: PageChecks, of lease: JobLease) async throws {
        let request = checks.wire(for: lease)
        try await withChannel { client, options in
            _ = try await Pagewright_Agent_V1_Checks.Client(wrapping: client).report(request, options: options)
        }
    }
}
