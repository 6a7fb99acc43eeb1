import Domain

enum EditBody {
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
        ])
}
