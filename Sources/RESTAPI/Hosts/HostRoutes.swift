import Coordinator
import Domain
import HTTPTypes

struct HostRoutes {
    let hosts: HostService

    private static let feature = "Hosts"
    private static let path = "/api/v1/hosts/{host}"

    var routes: [APIRoute] {
        [
            list, invite, find,
            change("drain", "Give a host no new work; it keeps what it has") {
                try await hosts.drain($0, for: $1, once: $2)
            },
            change("resume", "Give a drained host work again") {
                try await hosts.resume($0, for: $1, once: $2)
            },
            change("revoke", "Make a host's certificate worthless, for good") {
                try await hosts.revoke($0, for: $1, once: $2)
            },
            label,
        ]
    }

    private var label: APIRoute {
        APIRoute(
            .put, Self.path + "/labels", "Say what kind of host it is; sites find their hosts by it",
            feature: Self.feature, access: .admin,
            input: .json(.object([.init("labels", .text, "Such as disk=fast,zone=north; replaces all.")])),
            content: .json(HostBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(HostBody.table.json) {
                try await hosts.label(
                    try request.identifier("host"), request.body.string("labels"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/hosts", "All hosts", feature: Self.feature, access: .admin,
            content: .json(HostBody.table.listSchema)
        ) { request in
            .json(HostBody.table.json(try await hosts.list(for: try request.principal)))
        }
    }

    private var invite: APIRoute {
        APIRoute(
            .post, "/api/v1/hosts/invitations", "Make a token with which one machine can join", feature: Self.feature,
            access: .admin, input: .json(.object([.init("roles", HostBody.roles)])), status: .created,
            content: .json(InvitationBody.table.schema), keepsAnswers: false
        ) { request in
            let invitation = try await hosts.invite(
                roles: request.body.strings("roles"), for: try request.principal)
            return .json(InvitationBody.table.json(invitation))
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path, "One host", feature: Self.feature, access: .admin, content: .json(HostBody.table.schema),
            errors: [.notFound]
        ) { request in
            .json(HostBody.table.json(try await hosts.find(try request.identifier("host"), for: try request.principal)))
        }
    }

    private func change(
        _ word: String, _ summary: String,
        _ body: @escaping @Sendable (HostID, Principal, Once<HostView>) async throws -> HostView
    ) -> APIRoute {
        APIRoute(
            .post, Self.path + "/" + word, summary, feature: Self.feature, access: .admin,
            content: .json(HostBody.table.schema), errors: [.notFound, .conflict], worksInRecovery: word == "revoke"
        ) { request in
            try await request.once(HostBody.table.json) {
                try await body(try request.identifier("host"), try request.principal, $0)
            }
        }
    }
}
