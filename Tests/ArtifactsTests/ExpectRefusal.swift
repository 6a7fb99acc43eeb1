import Domain
import Testing

/// Expects that `body` is refused in this way.
func expectRefusal(
    _ code: ServiceError.Code, rule: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    let error = await #expect(throws: ServiceError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, "\(error?.description ?? "")", sourceLocation: sourceLocation)
    if let rule { #expect(error?.rule == rule, "\(error?.description ?? "")", sourceLocation: sourceLocation) }
}
