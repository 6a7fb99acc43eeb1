import Coordinator
import Domain
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

    /// Who asks. Only routes for anyone may be without.
    var principal: Principal {
        get throws {
            guard let caller else { throw ServiceError(.unauthenticated, "this needs a log-in") }
            return caller.principal.asking(in: context.requestID)
        }
    }

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

    func page() throws -> PageRequest {
        guard let limit = query.integer("limit") else { return try PageRequest(cursor: query["cursor"]) }
        return try PageRequest(cursor: query["cursor"], limit: limit)
    }
}
