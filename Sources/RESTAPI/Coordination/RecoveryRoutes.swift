import Coordinator
import Domain
import HTTPTypes
import Persistence

/// What an operator looks at and decides when a coordinator holds something back.
struct RecoveryRoutes {
    let recovery: RecoveryService
    let brakes: BrakeService

    private static let feature = "Recovery"

    private static let find = ObjectBody<RecoveryFind>(
        "RecoveryFind",
        [
            .init("host_id", .text, "The host that has it.") { .string($0.host.text) },
            .init("kind", .words(RecoveryFind.Kind.allCases.map(\.rawValue))) { .string($0.kind.rawValue) },
            .init("subject", .text, "The id of the site or of the job.") { .string($0.subject) },
            .init("site_id", .nullable(.text)) { .optional($0.site) { .string($0.text) } },
            .init("number", .count, "Of the version, generation, attempt or fence.") { .integer($0.number) },
            .init("digest", .nullable(.text)) { .optional($0.digest) { .string($0.text) } },
            .init("found_at", .time) { .time($0.foundAt) },
        ])

    private static let table = ObjectBody<RecoveryService.View>(
        "Recovery",
        [
            .init("active", .boolean, "Whether changes are held back.") { .boolean($0.isActive) },
            .init("since", .nullable(.time)) { .optional($0.since, JSONValue.time) },
            .init("reason", .nullable(.text)) { .optional($0.reason) { .string($0) } },
            .init("incarnation", .count) { .integer(Int64($0.incarnation.rawValue)) },
            .init("finds", .array(find.schema), "What hosts have and the database lacks, 10,000 at most.") {
                .array($0.finds.map(find.json))
            },
        ])

    private static let brake = ObjectBody<EngagedBrake>(
        "Brake",
        [
            .init("name", .text) { .string($0.name) },
            .init("detail", .text, "What it holds back.") { .string($0.detail) },
            .init("engaged_at", .time) { .time($0.engagedAt) },
            .init("released_at", .nullable(.time), "When somebody let it go.") {
                .optional($0.releasedAt, JSONValue.time)
            },
        ])

    var routes: [APIRoute] { [show, accept, listBrakes, release] }

    private var show: APIRoute {
        APIRoute(
            .get, "/api/v1/recovery", "Whether the database may have forgotten something, and what hosts still have",
            feature: Self.feature, access: .admin, content: .json(Self.table.schema)
        ) { request in
            .json(Self.table.json(try await recovery.view(for: try request.principal)))
        }
    }

    private var accept: APIRoute {
        APIRoute(
            .post, "/api/v1/recovery/accept", "Take the database as it is and begin to work again",
            feature: Self.feature, access: .admin, content: .json(Self.table.schema), errors: [.conflict],
            keepsAnswers: false, worksInRecovery: true
        ) { request in
            .json(Self.table.json(try await recovery.accept(for: try request.principal)))
        }
    }

    private var listBrakes: APIRoute {
        APIRoute(
            .get, "/api/v1/brakes", "The brakes that are on", feature: Self.feature, access: .admin,
            content: .json(Self.brake.listSchema)
        ) { request in
            .json(Self.brake.json(try await brakes.list(for: try request.principal)))
        }
    }

    private var release: APIRoute {
        APIRoute(
            .post, "/api/v1/brakes/{brake}/release", "Let go for five minutes what a brake holds back",
            feature: Self.feature, access: .admin, content: .json(Self.brake.schema), errors: [.notFound],
            keepsAnswers: false, worksInRecovery: true
        ) { request in
            .json(Self.brake.json(try await brakes.release(request.parameter("brake"), for: try request.principal)))
        }
    }
}
