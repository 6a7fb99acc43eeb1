import Coordinator
import Domain
import Persistence

enum PlannedPageBody {
    static let table = ObjectBody<PlannedPage>(
        "PlannedPage",
        [
            .init("name", .text, "The name of its file without .html; the home page is index.") { .string($0.name) },
            .init("title", .text, "Its name in the navigation.") { .string($0.title) },
            .init("purpose", .text, "What it is for, in a sentence.") { .string($0.purpose) },
            .init("role", .words(PlannedPage.Role.allCases.map(\.rawValue))) { .string($0.role.rawValue) },
        ])
}

enum BriefBody {
    static let table = ObjectBody<SiteBrief>(
        "Brief",
        [
            .init("business_name", .text) { .string($0.businessName) },
            .init("type", .text) { .string($0.type) },
            .init("description", .text) { .string($0.description) },
            .init("goals", .array(.text)) { .array($0.goals.map { .string($0) }) },
            .init("audience", .nullable(.text)) { .optional($0.audience) { .string($0) } },
            .init("style", .nullable(.text)) { .optional($0.style) { .string($0) } },
            .init("languages", .array(.words(SiteLanguage.allCases.map(\.rawValue)))) {
                .array($0.languages.map { .string($0.rawValue) })
            },
            .init("pages", .array(.text)) { .array($0.pages.map { .string($0) }) },
        ])
}

enum GenerationStepBody {
    static let table = ObjectBody<GenerationStepRecord>(
        "GenerationStep",
        [
            .init("step", .words(GenerationStep.Name.allCases.map(\.rawValue))) { .string($0.step.name.rawValue) },
            .init("page", .text, "The page that copy is for; otherwise empty.") { .string($0.step.page) },
            .init("round", .count, "Of checks and repairs: 0 before the first repair.") { .count($0.step.round) },
            .init("job_id", .text) { .string($0.job.text) },
            .init("input", .text, "JSON, as text.") { .string($0.step.input) },
            .init("output", .text, "JSON, as text.") { .string($0.step.output) },
            .init("milliseconds", .count) { .count($0.step.milliseconds) },
            .init("uncached_input_tokens", .count) { .count($0.step.usage.uncachedInput) },
            .init("cached_input_tokens", .count) { .count($0.step.usage.cachedInput) },
            .init("output_tokens", .count) { .count($0.step.usage.output) },
            .init("done_at", .time) { .time($0.doneAt) },
        ])
}

enum GenerationBody {
    static let table = ObjectBody<GenerationView>(
        "Generation",
        [
            .init("id", .text) { .string($0.generation.id.text) },
            .init("site_id", .text) { .string($0.generation.site.text) },
            .init("job_id", .text, "The newest of its jobs.") { .string($0.generation.job.text) },
            .init("state", .words(Generation.State.allCases.map(\.rawValue))) { .string($0.state.rawValue) },
            .init("message", .text, "What is going on, in a sentence.") { .string($0.message) },
            .init("progress", .count, "0 to 100; never falls.") { .count($0.generation.progress) },
            .init("engine", .words(EngineName.allCases.map(\.rawValue))) { .string($0.generation.engine.rawValue) },
            .init("review_plan", .boolean) { .boolean($0.generation.reviewsPlan) },
            .init("brief", BriefBody.table.schema) { BriefBody.table.json($0.generation.brief) },
            .init("kind", .nullable(.words(BusinessKind.allCases.map(\.rawValue))), "What the plan takes it for.") {
                .optional($0.generation.plan) { .string($0.kind.rawValue) }
            },
            .init("plan", .nullable(.array(PlannedPageBody.table.schema)), "Its pages, once they are planned.") {
                .optional($0.generation.plan) { .array($0.pages.map(PlannedPageBody.table.json)) }
            },
            .init("steps", .array(GenerationStepBody.table.schema)) {
                .array($0.steps.map(GenerationStepBody.table.json))
            },
            .init("job", JobBody.table.schema) { JobBody.table.json($0.job) },
            .init("created_at", .time) { .time($0.generation.createdAt) },
            .init("updated_at", .time) { .time($0.generation.updatedAt) },
        ])
}
