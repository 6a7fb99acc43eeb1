import Domain

enum AuditBody {
    private static let detail = ObjectBody<(name: String, value: String)>(
        "AuditDetail", [.init("name", .text) { .string($0.name) }, .init("value", .text) { .string($0.value) }])

    static let table = ObjectBody<SealedAuditEntry>(
        "AuditEntry",
        [
            .init("number", .integer(minimum: 1), "1, 2, 3 … without a gap.") { .integer($0.number) },
            .init("id", .text) { .string($0.entry.id) },
            .init("at", .time) { .time($0.entry.at) },
            .init("actor", .text, "A user, a host, operator or system.") { .string($0.entry.actor) },
            .init("action", .text, "Such as site.created.") { .string($0.entry.action) },
            .init("subject", .text, "What it was done to.") { .string($0.entry.subject) },
            .init("site_id", .nullable(.text)) { .optional($0.entry.site) { .string($0) } },
            .init("details", .array(detail.schema), "Sorted by name.") { entry in
                .array(
                    entry.entry.details.sorted { $0.key < $1.key }.map { detail.json((name: $0.key, value: $0.value)) })
            },
            .init("request_id", .text, "Empty when no request asked for it.") { .string($0.entry.requestID) },
            .init("previous_hash", .text) { .string($0.previousHash.text) },
            .init("hash", .text, "SHA-256 over the row and previous_hash; see docs/audit.md.") {
                .string($0.hash.text)
            },
        ])

    static let head = ObjectBody<AuditHead>(
        "AuditHead",
        [
            .init("number", .count, "The number of the last row; 0 when there is none.") { .integer($0.number) },
            .init("hash", .text) { .string($0.hash.text) },
        ])
}
