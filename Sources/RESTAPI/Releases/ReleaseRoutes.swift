import Coordinator
import Domain
import HTTPTypes

enum ReleaseBody {
    static let table = ObjectBody<Release>(
        "Release",
        [
            .init("number", .integer(minimum: 1)) { .count($0.number) },
            .init("version", .version) { .version($0.version) },
            .init("replaced", .nullable(.version), "What was live before.") {
                .optional($0.replaced, JSONValue.version)
            },
            .init("released_by", .text) { .string($0.releasedBy.text) },
            .init("released_at", .time) { .time($0.releasedAt) },
        ])
}

struct ReleaseRoutes {
    let releases: ReleaseService

    private static let feature = "Releases"
    private static let version = JSONSchema.object([.init("version", .version)])
    private static let modes = ["as-they-come", "all-or-nothing"]
    private static let promotion = JSONSchema.object([
        .init("version", .version),
        JSONSchema.optional(
            "mode", .words(modes), "With all-or-nothing every host prepares it first; one that cannot stops it."),
        JSONSchema.optional(
            "unchecked", .boolean,
            "Go ahead although a browser still looks at it; without it that is refused with the rule checks-running."),
    ])

    var routes: [APIRoute] { [setPreview, undo, promote, rollBack, list] }

    private var setPreview: APIRoute {
        APIRoute(
            .put, "/api/v1/sites/{site}/preview", "Show a version at the preview address", feature: Self.feature,
            input: .json(Self.version), content: .json(SiteBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await releases.setPreview(
                    request.body.integer("version"), on: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var undo: APIRoute {
        APIRoute(
            .post, "/api/v1/sites/{site}/undo", "Show in the preview what its version was made from",
            feature: Self.feature, content: .json(SiteBody.table.schema), errors: [.notFound, .failedPrecondition]
        ) { request in
            try await request.once(SiteBody.table.json) {
                try await releases.undo(on: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private var promote: APIRoute {
        APIRoute(
            .post, "/api/v1/sites/{site}/promote", "Make a version the one that visitors see", feature: Self.feature,
            input: .json(Self.promotion), status: .created, content: .json(ReleaseBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition]
        ) { request in
            let mode = request.body.optionalString("mode") ?? "as-they-come"
            guard Self.modes.contains(mode) else {
                throw ServiceError(
                    .invalidArgument, "there is no mode \"\(mode.prefix(40))\"", field: "mode", rule: "release-mode",
                    nextStep: "Use as-they-come or all-or-nothing.")
            }
            let isUnchecked = request.body.optionalBoolean("unchecked") ?? false
            return try await request.once(ReleaseBody.table.json) {
                if mode == "all-or-nothing" {
                    return try await releases.promoteEverywhere(
                        request.body.integer("version"), on: request.parameter("site"), unchecked: isUnchecked,
                        for: try request.principal, once: $0)
                }
                return try await releases.promote(
                    request.body.integer("version"), on: request.parameter("site"), unchecked: isUnchecked,
                    for: try request.principal, once: $0)
            }
        }
    }

    private var rollBack: APIRoute {
        APIRoute(
            .post, "/api/v1/sites/{site}/rollback", "Go back to the version that was live before, or to another",
            feature: Self.feature, input: .json(.object([JSONSchema.optional("version", .version)])),
            status: .created, content: .json(ReleaseBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition]
        ) { request in
            try await request.once(ReleaseBody.table.json) {
                try await releases.rollBack(
                    on: request.parameter("site"), to: request.body.optionalInteger("version"),
                    for: try request.principal, once: $0)
            }
        }
    }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/sites/{site}/releases", "What was live when, newest first", feature: Self.feature,
            query: .paging, content: .json(ReleaseBody.table.pageSchema), errors: [.notFound]
        ) { request in
            let page = try await releases.list(
                of: request.parameter("site"), page: try request.page(), for: try request.principal)
            return .json(ReleaseBody.table.json(page))
        }
    }
}
