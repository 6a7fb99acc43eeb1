import Coordinator
import Domain
import HTTPTypes

/// New versions of the agent on their way to hosts.
struct RolloutRoutes {
    let rollouts: RolloutService

    private static let feature = "Hosts"
    private static let member = ObjectBody<Rollout.Member>(
        "RolloutMember",
        [
            .init("host_id", .text) { .string($0.host.text) },
            .init("wave", .count, "0 is the first host, 1 a fifth of all, 2 the rest.") { .count($0.wave) },
            .init("state", .words(Rollout.Member.State.allCases.map(\.rawValue))) { .string($0.state.rawValue) },
            .init("previous_version", .text) { .string($0.previousVersion) },
            .init("since", .nullable(.time)) { .optional($0.since, JSONValue.time) },
            .init("detail", .text) { .string($0.detail) },
        ])
    private static let table = ObjectBody<Rollout>(
        "Rollout",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("version", .text) { .string($0.target.text) },
            .init("state", .words(Rollout.State.allCases.map(\.rawValue))) { .string($0.state.rawValue) },
            .init("reason", .nullable(.text), "Why it was stopped.") { .optional($0.reason) { .string($0) } },
            .init("starts_at", .time) { .time($0.startsAt) },
            .init("created_at", .time) { .time($0.createdAt) },
            .init("created_by", .text) { .string($0.createdBy) },
            .init("finished_at", .nullable(.time)) { .optional($0.finishedAt, JSONValue.time) },
            .init("members", .array(member.schema)) { .array($0.members.map(member.json)) },
        ])

    var routes: [APIRoute] { [list, plan, find, cancel] }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/rollouts", "Roll-outs of the agent, newest first", feature: Self.feature, access: .admin,
            content: .json(Self.table.listSchema)
        ) { request in
            .json(Self.table.json(try await rollouts.list(for: try request.principal)))
        }
    }

    private var plan: APIRoute {
        APIRoute(
            .post, "/api/v1/rollouts", "Bring a version of the agent to all hosts, or to some", feature: Self.feature,
            access: .admin,
            input: .json(
                .object([
                    .init("version", .text, "As packages write it."),
                    JSONSchema.optional("starts_at", .time, "Now when it is left out."),
                    JSONSchema.optional("hosts", .array(.text), "All when it is left out."),
                ])), status: .created, content: .json(Self.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition]
        ) { request in
            let startsAt = try request.body.optionalString("starts_at").map { text in
                guard let time = Timestamp(text) else {
                    throw ServiceError(
                        .invalidArgument, "\"\(text.prefix(40))\" is no time", field: "starts_at", rule: "time-format",
                        nextStep: "Write it like 2026-11-21T03:00:00Z.")
                }
                return time
            }
            let words = request.body.strings("hosts")
            let hosts = try words.map { text in
                guard let host = HostID(text) else {
                    throw ServiceError(.notFound, "there is no host \(text.prefix(64))", field: "hosts")
                }
                return host
            }
            return try await request.once(Self.table.json) {
                try await rollouts.plan(
                    to: request.body.string("version"), hosts: request.body.hasList("hosts") ? hosts : nil,
                    startsAt: startsAt, for: try request.principal, once: $0)
            }
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, "/api/v1/rollouts/{rollout}", "One roll-out, host by host", feature: Self.feature, access: .admin,
            content: .json(Self.table.schema), errors: [.notFound]
        ) { request in
            .json(
                Self.table.json(
                    try await rollouts.find(try request.identifier("rollout"), for: try request.principal)))
        }
    }

    private var cancel: APIRoute {
        APIRoute(
            .post, "/api/v1/rollouts/{rollout}/cancel", "Begin no other host", feature: Self.feature, access: .admin,
            content: .json(Self.table.schema), errors: [.notFound, .conflict]
        ) { request in
            try await request.once(Self.table.json) {
                try await rollouts.cancel(try request.identifier("rollout"), for: try request.principal, once: $0)
            }
        }
    }
}
