import Domain

enum EditBody {
    private static let variant = ObjectBody<EditVariant>(
        "EditVariant",
        [
            .init("group_id", .text, "The first of the tries.") { .string($0.group.text) },
            .init("number", .integer(minimum: 1)) { .count($0.number) },
            .init("count", .integer(minimum: 1)) { .count($0.count) },
        ])

    static let table = ObjectBody<Edit>(
        "Edit",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("site_id", .text) { .string($0.site.text) },
            .init("author_id", .text) { .string($0.author.text) },
            .init("prompt", .text) { .string($0.prompt.text) },
            .init("engine", .words(EngineName.allCases.map(\.rawValue))) { .string($0.engine.rawValue) },
            .init("base_version", .version) { .version($0.base) },
            .init("job_id", .text) { .string($0.job.text) },
            .init("created_at", .time) { .time($0.createdAt) },
            .init("conversation_id", .nullable(.text)) { .optional($0.conversation) { .string($0.text) } },
            .init("mode", .words(EditMode.allCases.map(\.rawValue))) { .string($0.mode.rawValue) },
            .init("plan_id", .nullable(.text), "The plan that it carries out.") {
                .optional($0.plan) { .string($0.text) }
            },
            .init("planned_files", .array(.text), "Of an answered plan: what it would touch.") {
                .array($0.plannedFiles.map { .string($0) })
            },
            .init("variant", .nullable(variant.schema), "Its place among several tries.") {
                .optional($0.variant, variant.json)
            },
        ])
}
