import Coordinator
import Domain

enum SessionEntryBody {
    static let table = ObjectBody<LoginSession>(
        "LoginSession",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("created_at", .time) { .time($0.createdAt) },
            .init("used_at", .time, "When it was renewed last.") { .time($0.usedAt) },
            .init("expires_at", .time) { .time($0.expiresAt) },
            .init("address", .text, "Where the log-in came from.") { .string($0.address) },
            .init("agent", .text, "What the client calls itself.") { .string($0.agent) },
        ])
}

enum PersonalTokenBody {
    static let scopes = JSONSchema.array(.words(AccessScope.allCases.map(\.rawValue)))

    private static let fields: [ObjectBody<PersonalToken>.Field] = [
        .init("id", .text) { .string($0.id.text) },
        .init("name", .text) { .string($0.name) },
        .init("scopes", scopes) { .array($0.scopes.sorted().map { .string($0.rawValue) }) },
        .init("created_at", .time) { .time($0.createdAt) },
        .init("expires_at", .time) { .time($0.expiresAt) },
        .init("last_used_at", .nullable(.time), "To the minute.") { .optional($0.lastUsedAt, JSONValue.time) },
    ]

    static let table = ObjectBody<PersonalToken>("PersonalToken", fields)

    static let issued = ObjectBody<IssuedToken>(
        "IssuedToken",
        [
            .init("token", table.schema) { table.json($0.token) },
            .init("secret", .text, "Shown once. Send it as Authorization: Bearer …") { .string($0.secret) },
        ])
}
