import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

struct EventRoutes {
    let events: EventService
    let stream: EventStream

    var routes: [APIRoute] {
        [
            APIRoute(
                .get, "/api/v1/events",
                "What happens, as server-sent events; resumed behind Last-Event-ID or after", feature: "Events",
                query: [
                    .init(
                        name: "after", schema: .integer(minimum: 0),
                        description: "The id to begin behind; 0 for all there is. Without any, only what is new.")
                ], content: .other("text/event-stream"), errors: [.rateLimited]
            ) { request in
                guard let caller = request.caller else { preconditionFailure("the route needs a log-in") }
                let after =
                    if let known = try Self.position(request) { known } else { try await events.latestID() }
                return .response(
                    try stream.response(
                        to: request.request, for: caller, after: after, logger: request.context.logger))
            }
        ]
    }

    private static func position(_ request: APIRequest) throws -> Int64? {
        if let name = HTTPField.Name("Last-Event-ID"), let text = request.request.headers[name], !text.isEmpty {
            guard let id = Int64(text), id >= 0 else {
                throw ServiceError(
                    .invalidArgument, "Last-Event-ID is not the id of an event", field: "Last-Event-ID",
                    rule: "event-id")
            }
            return id
        }
        return request.query.integer("after").map { Int64(max(0, $0)) }
    }
}
