import Domain
import HTTPTypes

/// One operation of the API: all that the router, the checks and the OpenAPI document know of it.
struct APIRoute: Sendable {
    enum Access: Sendable {
        case anyone
        case user
        /// The use case refuses others; the document says so.
        case admin
    }

    enum Input: Sendable {
        case none
        case json(JSONSchema, limit: Int = 64 << 10)
        /// A `.tar.gz`, `.tar` or `.zip`, stored in a file before the operation begins.
        case archive
    }

    enum Content: Sendable {
        case none
        case json(JSONSchema)
        /// Text or bytes of this media type.
        case other(String)
    }

    struct QueryParameter: Sendable {
        let name: String
        let schema: JSONSchema
        let description: String
    }

    let method: HTTPRequest.Method
    /// A template such as `/api/v1/sites/{site}`.
    let path: String
    let summary: String
    /// The folder of the house that it belongs to, such as `Sites`.
    let feature: String
    let access: Access
    let input: Input
    let query: [QueryParameter]
    let status: HTTPResponse.Status
    let content: Content
    /// Statuses other than success and refusal, such as 304.
    let otherStatuses: [(status: HTTPResponse.Status, description: String)]
    /// How it can refuse, besides what every operation can.
    let errors: [ServiceError.Code]
    /// Whether an answer may be kept for an `Idempotency-Key`. One with a secret in it may not.
    let keepsAnswers: Bool
    /// Whether it may be done while the database is in doubt. What only reads always may.
    let worksInRecovery: Bool
    /// Asked before a body is stored; throws when that would be in vain.
    let admit: @Sendable (APIRequest) async throws -> Void
    let handle: @Sendable (APIRequest) async throws -> APIAnswer

    init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, feature: String, access: Access = .user,
        input: Input = .none, query: [QueryParameter] = [], status: HTTPResponse.Status = .ok, content: Content,
        otherStatuses: [(status: HTTPResponse.Status, description: String)] = [], errors: [ServiceError.Code] = [],
        keepsAnswers: Bool = true, worksInRecovery: Bool = false,
        admit: @escaping @Sendable (APIRequest) async throws -> Void = { _ in },
        handle: @escaping @Sendable (APIRequest) async throws -> APIAnswer
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.feature = feature
        self.access = access
        self.input = input
        self.query = query
        self.status = status
        self.content = content
        self.otherStatuses = otherStatuses
        self.errors = errors
        self.keepsAnswers = keepsAnswers
        self.worksInRecovery = worksInRecovery || method == .get || access == .anyone
        self.admit = admit
        self.handle = handle
    }

    /// Whether an `Idempotency-Key` has a meaning here.
    var isRepeatable: Bool { method != .get && access != .anyone && keepsAnswers }

    /// The names within braces.
    var parameters: [String] {
        path.split(separator: "/").compactMap { part in
            part.hasPrefix("{") ? String(part.dropFirst().dropLast()) : nil
        }
    }

    /// The last part of the path takes all that follows, slashes too.
    var takesRest: Bool { path.hasSuffix("/{path}") }

    /// The template as the router reads it.
    var routerPath: String { takesRest ? String(path.dropLast("{path}".count)) + "**" : path }

    /// The values of the parameters when `path` is of this template, otherwise `nil`.
    func match(_ path: String) -> [String: String]? {
        let template = self.path.split(separator: "/")
        let parts = path.split(separator: "/")
        guard takesRest ? parts.count >= template.count : parts.count == template.count else { return nil }
        var values: [String: String] = [:]
        for (index, expected) in template.enumerated() {
            let isRest = takesRest && index == template.count - 1
            guard expected.hasPrefix("{") else {
                guard expected == parts[index] else { return nil }
                continue
            }
            let encoded = isRest ? parts[index...].joined(separator: "/") : String(parts[index])
            guard let decoded = PercentEncoding.decoded(encoded) else { return nil }
            values[String(expected.dropFirst().dropLast())] = decoded
        }
        return values
    }
}

extension [APIRoute.QueryParameter] {
    /// What every paged list takes.
    static let paging: Self = [
        APIRoute.QueryParameter(name: "cursor", schema: .text, description: "The next_cursor of the page before."),
        APIRoute.QueryParameter(
            name: "limit", schema: .integer(minimum: 1),
            description: "How many items at most, 1 to \(PageRequest.limits.upperBound); 50 when left out."),
    ]
}
