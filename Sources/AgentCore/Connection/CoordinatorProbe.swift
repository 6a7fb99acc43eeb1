import AgentProtocol
import Domain
import FoundationEssentials
import GRPCCore
import SwiftProtobuf

/// Looks whether the coordinator is there, proves who it is, and knows this host, without changing anything.
package struct CoordinatorProbe: Sendable {
    private let connection: CoordinatorConnection

    package init(connection: CoordinatorConnection) {
        self.connection = connection
    }

    /// Throws what is wrong. Asks for a certificate with an empty request: whoever refuses the request as such has let
    /// the caller in.
    package func run(timeout: Duration = .seconds(10)) async throws {
        do {
            _ = try await connection.withChannel(for: .session) { channel in
                var options = CallOptions.defaults
                options.timeout = timeout
                return try await Pagewright_Agent_V1_Enrolment.Client(wrapping: channel.client).renew(
                    .with { $0.signingRequest = Data() }, options: options)
            }
        } catch let error as ServiceError where error.rule?.hasPrefix("signing-request") == true {
            return
        }
    }
}
