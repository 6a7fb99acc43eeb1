import Domain

enum UserBody {
    static let table = ObjectBody<User>(
        "User",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("email", .string(format: "email", choices: [])) { .string($0.email.text) },
            .init("name", .text) { .string($0.name) },
            .init("role", .words(User.Role.allCases.map(\.rawValue))) { .string($0.role.rawValue) },
            .init("created_at", .time) { .time($0.createdAt) },
            .init("disabled_at", .nullable(.time), "Since when they cannot log in.") {
                .optional($0.disabledAt, JSONValue.time)
            },
        ])
}

extension JSONValue {
    static func time(_ instant: Timestamp) -> JSONValue { .string(instant.description) }
    static func version(_ number: VersionNumber) -> JSONValue { .integer(Int64(number.rawValue)) }
    static func count(_ count: Int) -> JSONValue { .integer(Int64(count)) }
}
