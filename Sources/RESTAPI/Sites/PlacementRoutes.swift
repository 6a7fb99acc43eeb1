import Coordinator
import Domain
import HTTPTypes

/// On which hosts a site is, and why.
struct PlacementRoutes {
    let placements: PlacementService

    private static let feature = "Sites"
    private static let path = "/api/v1/sites/{site}/placement"
    private static let table = ObjectBody<PlacementService.View>(
        "SitePlacement",
        [
            .init("site_id", .text) { .string($0.site.text) },
            .init("own", .boolean, "Whether the site has a policy of its own.") { .boolean($0.isOwn) },
            .init("copies", .nullable(.integer(minimum: 1)), "On how many hosts; null is all.") {
                .optional($0.policy.copies) { .integer(Int64($0)) }
            },
            .init("labels", .text, "Labels that hosts must have.") { .string($0.policy.selector.description) },
            .init("spread", .nullable(.text), "The label in which copies differ.") {
                .optional($0.policy.spread) { .string($0) }
            },
            .init("leaves_draining", .boolean) { .boolean($0.policy.leavesDraining) },
            .init("lost_after_seconds", .nullable(.count)) {
                .optional($0.policy.lostAfter) { .integer($0.components.seconds) }
            },
            .init("hosts", .array(.text), "Where it is placed now.") {
                .array($0.hosts.map { .string($0.text) })
            },
        ])
    private static let input = JSONSchema.object([
        JSONSchema.optional("copies", .integer(minimum: 1), "All when it is left out."),
        JSONSchema.optional("labels", .text, "Such as disk=fast,zone=north."),
        JSONSchema.optional("spread", .text, "A label, such as zone."),
        JSONSchema.optional("leaves_draining", .boolean),
        JSONSchema.optional("lost_after_seconds", .integer(minimum: 1)),
    ])

    var routes: [APIRoute] { [find, assign, clear] }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path, "On which hosts a site is to be, and is", feature: Self.feature, access: .admin,
            content: .json(Self.table.schema), errors: [.notFound]
        ) { request in
            .json(
                Self.table.json(
                    try await placements.find(request.parameter("site"), for: try request.principal)))
        }
    }

    private var assign: APIRoute {
        APIRoute(
            .put, Self.path, "Give a site a placement of its own", feature: Self.feature, access: .admin,
            input: .json(Self.input), content: .json(Self.table.schema), errors: [.notFound]
        ) { request in
            let policy = PlacementPolicy(
                copies: request.body.optionalInteger("copies"),
                selector: try HostLabels(request.body.optionalString("labels") ?? ""),
                spread: request.body.optionalString("spread"),
                leavesDraining: request.body.optionalBoolean("leaves_draining") ?? false,
                lostAfter: request.body.optionalInteger("lost_after_seconds").map { .seconds($0) })
            return try await request.once(Self.table.json) {
                try await placements.set(policy, of: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private var clear: APIRoute {
        APIRoute(
            .delete, Self.path, "Place a site as the installation says", feature: Self.feature, access: .admin,
            content: .json(Self.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(Self.table.json) {
                try await placements.set(nil, of: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }
}
