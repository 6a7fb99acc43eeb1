import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Answers HEAD as GET would be answered, without the body: with the length of it, or without any when only making the
/// body would tell.
struct HeadEndpoint: HTTPResponder {
    let endpoint: APIEndpoint

    func respond(to request: Request, context: RESTRequestContext) async throws -> Response {
        var response = try await endpoint.respond(to: request, context: context)
        guard response.body.contentLength == nil else { return response.createHeadResponse() }
        response.headers[.connection] = "close"
        response.body = ResponseBody { try await $0.finish(nil) }
        return response
    }
}
