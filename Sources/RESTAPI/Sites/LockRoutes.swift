import Coordinator
import Domain
import HTTPTypes

struct LockRoutes {
    let locks: SiteLockService

    private static let feature = "Sites"
    private static let path = "/api/v1/sites/{site}/locks"
    private static let schema = JSONSchema.named(
        "Locks",
        .object([
            .init("patterns", .array(.text), "Files, folders with a slash at the end, or patterns with * and **.")
        ]))

    var routes: [APIRoute] { [list, replace] }

    private static func json(_ patterns: [PathPattern]) -> JSONValue {
        ["patterns": .array(patterns.map { .string($0.text) })]
    }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "Which files no edit may touch", feature: Self.feature, content: .json(Self.schema),
            errors: [.notFound]
        ) { request in
            .json(Self.json(try await locks.list(of: request.parameter("site"), for: try request.principal)))
        }
    }

    private var replace: APIRoute {
        APIRoute(
            .put, Self.path, "Lock these files for edits, and no others", feature: Self.feature,
            input: .json(Self.schema), content: .json(Self.schema), errors: [.notFound]
        ) { request in
            try await request.once(Self.json) {
                try await locks.set(
                    request.body.strings("patterns"), on: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }
}
