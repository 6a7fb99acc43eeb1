import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// A request for a page that was let in.
struct PageVisit: Sendable {
    let request: Request
    let requestID: String
    let address: ClientAddress
    let logger: Logger
    /// Who is logged in; `nil` for a stranger.
    let visitor: Visitor?
    /// What forms must bring along.
    let csrfToken: String
    /// Whether the visitor came by TLS, so that cookies are for TLS alone.
    let isSecure: Bool
    let parameters: [String: String]
    let query: FormFields
    let form: FormFields
    /// What makes the effect of this form a single one; `nil` when the form has no number.
    var keyed: KeyedRequest?

    /// Has an effect once for this form. `place` is where the browser goes then, now and when the form comes again.
    func once<Value: Sendable>(_ place: @escaping @Sendable (Value) -> String) -> Once<Value> {
        Once(keyed) { KeptAnswer(status: 303, contentType: nil, body: Array(place($0).utf8)) }
    }

    /// The address without its query.
    var path: String { request.uri.path }

    /// What the browser calls itself.
    var agent: String { request.headers[.userAgent] ?? "" }

    var principal: Principal {
        get throws {
            guard let visitor else { throw ServiceError(.unauthenticated, "this needs a log-in") }
            return visitor.caller.principal.asking(in: requestID)
        }
    }

    func parameter(_ name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the path has no parameter \(name)") }
        return value
    }

    /// The site in the path, as it was written there.
    var site: String { parameter("site") }

    /// The site in the path, for an address.
    var sitePath: String { "/sites/" + site.addingPercents() }

    func number(_ name: String) throws -> Int { try Self.number(parameter(name)) }

    static func number(_ text: String) throws -> Int {
        guard let number = Int(text) else {
            throw ServiceError(.notFound, "\"\(text.prefix(40))\" is not the number of a version", field: "version")
        }
        return number
    }

    func identifier<ID: Identifier>(_ name: String, as type: ID.Type = ID.self) throws -> ID {
        guard let id = ID(parameter(name)) else {
            throw ServiceError(.notFound, "there is no \(name) \"\(parameter(name).prefix(64))\"", field: name)
        }
        return id
    }

    /// The part of a list that the query asks for.
    func page(limit: Int) throws -> PageRequest { try PageRequest(cursor: query["cursor"], limit: limit) }
}
