package import Domain

/// Where the end of an attempt goes. What was submitted survives a restart and is sent again until a verdict came.
package protocol CompletionSpooling: Sendable {
    /// Returns when the completion is durable on disk; it does not wait for the coordinator.
    func submit(_ completion: JobCompletion) async throws
}
