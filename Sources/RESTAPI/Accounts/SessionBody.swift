import Coordinator

enum SessionBody {
    static let table = ObjectBody<IssuedSession>(
        "Session",
        [
            .init("user", UserBody.table.schema) { UserBody.table.json($0.user) },
            .init("access_token", .text, "Send it as Authorization: Bearer …") { .string($0.accessToken) },
            .init("token_type", .words(["Bearer"])) { _ in "Bearer" },
            .init("access_expires_at", .time) { .time($0.accessExpiresAt) },
            .init("refresh_token", .text, "Good for one refresh.") { .string($0.refreshToken) },
            .init("refresh_expires_at", .time) { .time($0.refreshExpiresAt) },
        ])
}
