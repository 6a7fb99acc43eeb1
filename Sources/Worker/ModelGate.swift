package import Domain
package import Egress

/// Where a way leads.
package enum ModelWay: Sendable {
    /// - Parameter silence: how long the model may say nothing; `nil` is the broker's own limit.
    case model(ModelEndpoint, watchedBy: (any EgressWitness)?, silence: Duration? = nil)
    /// To nobody: what a model said earlier is said again.
    case recorded(any EgressPlayback)
}

/// The one way out of a sandbox: to a model. What answers behind it adds the credential and lets nothing else through.
package protocol ModelGate: Sendable {
    /// Runs `body` with a folder, for this job alone, whose socket `model.sock` leads there. The way is closed when this
    /// returns.
    func withWay<Value: Sendable>(
        to way: ModelWay, for job: JobID, _ body: (_ folder: String) async throws -> Value
    ) async throws -> Value
}
