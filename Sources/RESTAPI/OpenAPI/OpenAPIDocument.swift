import Domain
import HTTPTypes

/// The description of the API (OpenAPI 3.1), made of the same table as the router.
struct OpenAPIDocument: Sendable {
    let routes: [APIRoute]
    let version: String

    private static let parameterDescriptions = [
        "site": "The id or the slug of a site.", "job": "The id of a job.", "host": "The id of a host.",
        "version": "The number of a version.", "to": "The number of the version to compare with.",
        "domain": "A domain name.", "brake": "The name of a brake.", "rollout": "The id of a roll-out.",
        "edit": "The id of an edit.", "conversation": "The id of a conversation.",
        "path": "The path of a file within the version, with its slashes.",
    ]

    var json: JSONValue {
        var paths: [(path: String, operations: [JSONValue.Member])] = []
        for route in routes {
            let operation = JSONValue.Member(name: route.method.rawValue.lowercased(), value: self.operation(route))
            if let index = paths.firstIndex(where: { $0.path == route.path }) {
                paths[index].operations.append(operation)
            } else {
                paths.append((route.path, [operation]))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Pagewright", "version": .string(version),
                "description": "Websites that are changed by talking to them. Errors are problem documents (RFC 9457).",
            ],
            "servers": [["url": "/"]],
            "tags": .array(features.map { ["name": .string($0)] }),
            "security": [["bearer": []]],
            "paths": .object(paths.map { JSONValue.Member(name: $0.path, value: .object($0.operations)) }),
            "components": [
                "schemas": .object(components.map { JSONValue.Member(name: $0.key, value: $0.value.openAPI) }),
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"]
                ],
            ],
        ]
    }

    /// Every schema that has a name, sorted by it.
    private var components: [(key: String, value: JSONSchema)] {
        var components: [String: JSONSchema] = [:]
        Problem.schema.collect(into: &components)
        for route in routes {
            if case .json(let schema, _) = route.input { schema.collect(into: &components) }
            if case .json(let schema) = route.content { schema.collect(into: &components) }
        }
        return components.sorted { $0.key < $1.key }
    }

    private var features: [String] {
        routes.map(\.feature).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func operation(_ route: APIRoute) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "operationId", value: .string(Self.identifier(of: route))),
            .init(name: "summary", value: .string(route.summary)),
            .init(name: "tags", value: [.string(route.feature)]),
        ]
        let parameters = self.parameters(of: route)
        if !parameters.isEmpty { members.append(.init(name: "parameters", value: .array(parameters))) }
        if let body = Self.requestBody(of: route) { members.append(.init(name: "requestBody", value: body)) }
        members.append(.init(name: "responses", value: responses(of: route)))
        switch route.access {
        case .anyone: members.append(.init(name: "security", value: []))
        case .user: break
        case .admin: members.append(.init(name: "description", value: "Needs the role admin."))
        }
        return .object(members)
    }

    /// Such as `post-sites-site-edits`; stable as long as the path is.
    static func identifier(of route: APIRoute) -> String {
        let words = route.path.split { !$0.isLetter && !$0.isNumber }.filter { $0 != "api" && $0 != "v1" }
        return ([route.method.rawValue.lowercased()] + words.map { $0.lowercased() }).joined(separator: "-")
    }

    private func parameters(of route: APIRoute) -> [JSONValue] {
        let path: [JSONValue] = route.parameters.map { name in
            let isNumber = ["version", "to"].contains(name)
            return [
                "name": .string(name), "in": "path", "required": true,
                "description": .string(Self.parameterDescriptions[name] ?? ""),
                "schema": isNumber ? JSONSchema.version.openAPI : JSONSchema.text.openAPI,
            ]
        }
        let query: [JSONValue] = route.query.map {
            [
                "name": .string($0.name), "in": "query", "description": .string($0.description),
                "schema": $0.schema.openAPI,
            ]
        }
        guard route.isRepeatable else { return path + query }
        return path + query + [
            [
                "name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 255],
                "description":
                    "The same key with the same body is done once; the answer is kept for 24 hours.",
            ]
        ]
    }

    private static func requestBody(of route: APIRoute) -> JSONValue? {
        switch route.input {
        case .none: return nil
        case .json(let schema, _):
            return ["required": true, "content": ["application/json": ["schema": schema.openAPI]]]
        case .archive:
            let bytes: JSONValue = ["schema": ["type": "string", "contentMediaType": "application/octet-stream"]]
            return [
                "required": true,
                "content": ["application/gzip": bytes, "application/zip": bytes, "application/x-tar": bytes],
            ]
        }
    }

    private func responses(of route: APIRoute) -> JSONValue {
        var success: [JSONValue.Member] = [.init(name: "description", value: .string(route.status.reasonPhrase))]
        switch route.content {
        case .none: break
        case .json(let schema):
            success.append(.init(name: "content", value: ["application/json": ["schema": schema.openAPI]]))
        case .other(let type):
            success.append(
                .init(
                    name: "content",
                    value: .object([.init(name: type, value: ["schema": ["type": "string"]])])))
        }
        var members: [JSONValue.Member] = [.init(name: String(route.status.code), value: .object(success))]
        for other in route.otherStatuses {
            members.append(.init(name: String(other.status.code), value: ["description": .string(other.description)]))
        }
        for (status, codes) in refusals(of: route) {
            members.append(
                .init(
                    name: String(status),
                    value: [
                        "description": .string(codes.map(\.title).joined(separator: "; ")),
                        "content": .object([
                            .init(name: Problem.mediaType, value: ["schema": Problem.schema.openAPI])
                        ]),
                    ]))
        }
        return .object(members)
    }

    /// Every way in which an operation can refuse, by status.
    private func refusals(of route: APIRoute) -> [(Int, [ServiceError.Code])] {
        var codes = route.errors + [.invalidArgument, .internalError, .unavailable]
        if case .anyone = route.access {} else { codes += [.unauthenticated] }
        if case .admin = route.access { codes += [.permissionDenied] }
        if case .none = route.input {} else { codes += [.payloadTooLarge] }
        if case .archive = route.input { codes += [.storageFull, .validationFailed] }
        if route.isRepeatable { codes += [.conflict] }
        var byStatus: [Int: [ServiceError.Code]] = [:]
        for code in codes where byStatus[code.status.code]?.contains(code) != true {
            byStatus[code.status.code, default: []].append(code)
        }
        return byStatus.filter { pair in !route.otherStatuses.contains { $0.status.code == pair.key } }
            .sorted { $0.key < $1.key }
    }
}
