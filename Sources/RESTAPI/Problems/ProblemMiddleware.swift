import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Turns every error into a problem document, and logs those that are ours.
struct ProblemMiddleware: RouterMiddleware {
    /// To tell a wrong method from a wrong address.
    let routes: [APIRoute]

    @concurrent func handle(
        _ request: Request, context: RESTRequestContext,
        next: @concurrent (Request, RESTRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = problem(of: error, request)
            if problem.status.kind == .serverError {
                context.logger.error(
                    "Could not answer", metadata: ["error": "\(error)", "http.status": "\(problem.status.code)"])
            }
            return problem.response(requestID: context.requestID)
        }
    }

    private func problem(of error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as ServiceError: Problem(error)
        case let error as SQLError: Problem(Self.translate(error))
        case is CancellationError, is ChannelError, is IOError:
            Problem(ServiceError(.unavailable, "the server is about to stop", retryAfter: .seconds(5)))
        case let error as any HTTPResponseError: problem(of: error.status, request)
        default: Problem(ServiceError(.internalError, "\(error)"))
        }
    }

    private static func translate(_ error: SQLError) -> ServiceError {
        switch error.kind {
        case .storageFull:
            ServiceError(.storageFull, "there is no room left for the database", cause: error)
        case .connectionLost, .timeout, .serializationFailure:
            ServiceError(
                .unavailable, "the database does not answer", nextStep: "Try again in a moment.",
                retryAfter: .seconds(2), cause: error)
        case .readOnly, .accessDenied:
            ServiceError(
                .unavailable, "the database cannot be written to",
                nextStep: "An administrator has to look at the coordinator's log.", retryAfter: .seconds(10),
                cause: error)
        case .outcomeUnknown:
            ServiceError(
                .unavailable, "the database was lost while it kept this change: it was made as a whole, or not at all",
                rule: "outcome-unknown", nextStep: "Look which it was before you try again.", cause: error)
        default: ServiceError(.internalError, error.description, cause: error)
        }
    }

    /// What the HTTP library itself refuses.
    private func problem(of status: HTTPResponse.Status, _ request: Request) -> Problem {
        switch status {
        case .notFound:
            let methods = routes.filter { $0.match(request.uri.path) != nil }.map(\.method)
            guard !methods.isEmpty else {
                return Problem(
                    ServiceError(
                        .notFound, "there is nothing at this address", rule: "route",
                        nextStep: "See /openapi.json for what there is."))
            }
            var problem = Problem(
                status: .methodNotAllowed, code: "method-not-allowed", title: "This method is not possible here",
                detail: "\(request.method.rawValue.prefix(20)) is not possible at this address.")
            problem.allowed = methods + (methods.contains(.get) ? [.head] : [])
            return problem
        case .contentTooLarge: return Problem(ServiceError(.payloadTooLarge, "the body is too large"))
        case _ where status.kind == .clientError:
            return Problem(ServiceError(.invalidArgument, "the request cannot be understood"))
        default: return Problem(ServiceError(.internalError, "the HTTP library said \(status.code)"))
        }
    }
}
