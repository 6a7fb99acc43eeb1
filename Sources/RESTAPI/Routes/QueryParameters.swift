import Domain
import Hummingbird
import HummingbirdCore

/// The query of a request, checked against what its route takes.
struct QueryParameters: Sendable {
    private let values: [String: String]

    /// Throws `invalidArgument` for a parameter that is not known, is there twice, or is of another type.
    init(_ uri: URI, allowed: [APIRoute.QueryParameter]) throws(ServiceError) {
        var values: [String: String] = [:]
        for pair in (uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decoded(parts[0]),
                let value = PercentEncoding.decoded(parts.count > 1 ? parts[1] : "")
            else { throw ServiceError(.invalidArgument, "the query is not encoded properly", rule: "query-encoding") }
            guard let parameter = allowed.first(where: { $0.name == name }) else {
                throw ServiceError(
                    .invalidArgument, "there is no parameter \"\(name.prefix(64))\" here",
                    field: String(name.prefix(64)), rule: "unknown-parameter",
                    nextStep: allowed.isEmpty
                        ? "Leave the query out." : "Known are: " + allowed.map(\.name).joined(separator: ", ") + ".")
            }
            try Self.check(value, against: parameter)
            guard values.updateValue(value, forKey: name) == nil else {
                throw ServiceError(
                    .invalidArgument, "the parameter is there twice", field: name, rule: "parameter-once")
            }
        }
        self.values = values
    }

    subscript(_ name: String) -> String? { values[name] }

    func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    func boolean(_ name: String) -> Bool? { values[name].map { $0 == "true" } }

    private static func check(_ value: String, against parameter: APIRoute.QueryParameter) throws(ServiceError) {
        let wording: String
        switch parameter.schema {
        case .integer where Int(value) == nil: wording = "must be a whole number"
        case .boolean where value != "true" && value != "false": wording = "must be true or false"
        default: return
        }
        throw ServiceError(
            .invalidArgument, "\(parameter.name) \(wording)", field: parameter.name, rule: "parameter-type")
    }
}
