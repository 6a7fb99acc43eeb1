import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Sets what keeps browsers from making more of an answer than it is. A route that needs another policy sets its own.
struct SecurityHeadersMiddleware: RouterMiddleware {
    private static let headers: [(name: HTTPField.Name, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ].map { (HTTPField.Name($0.0)!, $0.1) }

    @concurrent func handle(
        _ request: Request, context: RESTRequestContext,
        next: @concurrent (Request, RESTRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for header in Self.headers {
            if response.headers[header.name] == nil { response.headers[header.name] = header.value }
        }
        return response
    }
}
