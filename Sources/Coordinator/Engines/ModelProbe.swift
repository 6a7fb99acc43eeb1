package import Domain

/// Asks a model for a word, to find out whether it answers. The use cases see no HTTP; the server program gives them this.
package protocol ModelProbe: Sendable {
    /// Throws ``Domain/ServiceError`` `unavailable` with what the provider said when it did not answer as it should.
    func ask(_ access: ModelAccess) async throws
}

/// What a probe of an engine's model found.
package struct ModelProbeAnswer: Sendable, Equatable {
    package let model: String
    package let isAnswering: Bool
    /// In words, for the admin.
    package let message: String
    package let duration: Duration
}
