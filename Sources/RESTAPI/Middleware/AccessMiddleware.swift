import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// Counts every request and logs it with what came of it.
struct AccessMiddleware: RouterMiddleware {
    let metrics: RequestMetrics
    /// Whether a proxy in front says in `X-Forwarded-For` who asks.
    let trustsForwardedFor: Bool

    @concurrent func handle(
        _ request: Request, context: RESTRequestContext,
        next: @concurrent (Request, RESTRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        if let address = forwardedAddress(request) { context.clientAddress = address }
        metrics.begin()
        defer { metrics.end() }
        let response = try await next(request, context)
        let duration = ContinuousClock.now - start
        let route = context.endpointPath ?? "none"
        metrics.note(request.method, route, response.status.code, duration)
        let isProbe = route == "/healthz" || route == "/readyz" || route == "/metrics"
        context.logger.log(
            level: isProbe ? .debug : .info, "Answered request",
            metadata: [
                "http.method": "\(request.method.rawValue.prefix(20))", "http.path": "\(request.uri.path.prefix(500))",
                "http.status": "\(response.status.code)",
                "duration.ms":
                    "\(duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)",
                "client.address": "\(context.clientAddress)",
            ])
        return response
    }

    /// The last address in the list is the one that the proxy itself saw.
    private func forwardedAddress(_ request: Request) -> ClientAddress? {
        guard trustsForwardedFor, let name = HTTPField.Name("X-Forwarded-For"), let list = request.headers[name] else {
            return nil
        }
        return list.split(separator: ",").last.map { ClientAddress($0.trimmed) }
    }
}
