import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// A request that was let in: its caller is known, and its parts are as the route says.
struct APIRequest: Sendable {
    let request: Request
    let context: RESTRequestContext
    let caller: AuthenticatedCaller?
    /// The values of the template's parameters, decoded.
    let parameters: [String: String]
    let query: QueryParameters
    let body: JSONBody
    let upload: StoredUpload?
    let address: ClientAddress
    /// What makes the effect of this request a single one; `nil` when the caller sent no key.
    let keyed: KeyedRequest?
    /// The route's.
    let status: HTTPResponse.Status

    /// Who asks. Only routes for anyone may be without.
    var principal: Principal {
        get throws {
            guard let caller else { throw ServiceError(.unauthenticated, "this needs a log-in") }
            return caller.principal.asking(in: context.requestID)
        }
    }

    /// What the client calls itself.
    var agent: String { request.headers[.userAgent] ?? "" }

    func parameter(_ name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the path has no parameter \(name)") }
        return value
    }

    /// The number of a version in the path.
    func versionNumber(_ name: String = "version") throws -> Int {
        guard let number = Int(parameter(name)) else {
            throw ServiceError(
                .invalidArgument, "\"\(parameter(name).prefix(40))\" is not the number of a version", field: name,
                rule: "version-number")
        }
        return number
    }

    /// An identifier in the path. What is none names nothing that exists.
    func identifier<ID: Identifier>(_ name: String, as type: ID.Type = ID.self) throws -> ID {
        guard let id = ID(parameter(name)) else {
            throw ServiceError(.notFound, "there is no \(name) \"\(parameter(name).prefix(64))\"", field: name)
        }
        return id
    }

    /// Has an effect once for the request's idempotency key, and answers with what it gave.
    func once<Value: Sendable>(
        _ json: @escaping @Sendable (Value) throws -> JSONValue, _ work: (Once<Value>) async throws -> Value
    ) async throws -> APIAnswer {
        let once = Once<Value>(keyed) { [status] value in
            KeptAnswer(
                status: status.code, contentType: Response.jsonType, body: JSONWriter.bytes(of: try json(value)))
        }
        return .json(try json(try await work(once)))
    }

    /// The same for an effect with nothing to answer.
    func once<Value: Sendable>(_ work: (Once<Value>) async throws -> Value) async throws -> APIAnswer {
        _ = try await work(
            Once<Value>(keyed) { [status] _ in KeptAnswer(status: status.code, contentType: nil, body: []) })
        return .nothing
    }

    func page() throws -> PageRequest {
        guard let limit = query.integer("limit") else { return try PageRequest(cursor: query["cursor"]) }
        return try PageRequest(cursor: query["cursor"], limit: limit)
    }
}
