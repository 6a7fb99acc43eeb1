import Hummingbird
import HummingbirdCore

/// Answers HEAD as GET would be answered, without the body.
struct HeadEndpoint: HTTPResponder {
    let endpoint: APIEndpoint

    func respond(to request: Request, context: RESTRequestContext) async throws -> Response {
        try await endpoint.respond(to: request, context: context).createHeadResponse()
    }
}
