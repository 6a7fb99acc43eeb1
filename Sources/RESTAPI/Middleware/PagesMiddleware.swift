import Hummingbird
import HummingbirdCore
import Logging

/// Leaves everything that is not the API's to the pages.
struct PagesMiddleware: RouterMiddleware {
    /// Those of the API whose addresses do not say so.
    private let routes: [APIRoute]
    private let stream: EventStream
    private let pages: RESTServer.Pages

    init(routes: [APIRoute], stream: EventStream, pages: @escaping RESTServer.Pages) {
        self.routes = routes.filter { !$0.path.hasPrefix("/api/") }
        self.stream = stream
        self.pages = pages
    }

    @concurrent func handle(
        _ request: Request, context: RESTRequestContext,
        next: @concurrent (Request, RESTRequestContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard path != "/api", !path.hasPrefix("/api/"), !routes.contains(where: { $0.match(path) != nil }) else {
            return try await next(request, context)
        }
        let logger = context.logger
        let answer = await pages(request, context.requestID, context.clientAddress, logger) { request, caller, after in
            try stream.response(to: request, for: caller, after: after, logger: logger)
        }
        context.coreContext.endpointPath.value = answer.route
        return request.method == .head ? answer.response.createHeadResponse() : answer.response
    }
}
