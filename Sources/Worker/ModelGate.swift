package import Domain

/// The one way out of a sandbox: to a model. What answers behind it adds the credential and lets nothing else through.
package protocol ModelGate: Sendable {
    /// Runs `body` with a folder, for this job alone, whose socket `model.sock` leads to `endpoint`. The way is closed
    /// when this returns.
    func withWay<Value: Sendable>(
        to endpoint: ModelEndpoint, for job: JobID, _ body: (_ folder: String) async throws -> Value
    ) async throws -> Value
}
