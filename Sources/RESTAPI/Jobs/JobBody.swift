import Coordinator
import Domain

enum FindingBody {
    static let table = ObjectBody<Finding>(
        "Finding",
        [
            .init("severity", .words(Finding.Severity.allCases.map(\.rawValue))) { .string($0.severity.rawValue) },
            .init("rule", .text, "Stable, such as link-broken.") { .string($0.rule) },
            .init("path", .text, "The file; empty for the whole site.") { .string($0.path) },
            .init("subject", .text) { .string($0.subject) },
            .init("message", .text) { .string($0.message) },
            .init("before", .text, "What was there, shortened; empty when it is not about a change.") {
                .string($0.before)
            },
            .init("after", .text, "What is there now, shortened.") { .string($0.after) },
            .init("advice", .text, "What to do; empty when the message says it.") { .string($0.advice) },
        ])
}

enum ReviewBody {
    static let table = ObjectBody<ChangeReview>(
        "ChangeReview",
        [
            .init("digest", .text, "Of the manifest of what was made, also when it was refused.") {
                .string($0.digest.text)
            },
            .init("files_changed", .count) { .count($0.scope.changed) },
            .init("files_total", .count) { .count($0.scope.total) },
            .init("files_outside", .count, "Changed files that the request did not name although it named others.") {
                .count($0.scope.outside)
            },
            .init("sentence", .text) { .string($0.scope.sentence) },
            .init("version", .nullable(.version), "What was made of it; null while it is refused.") {
                .optional($0.version, JSONValue.version)
            },
        ])
}

enum JobBody {
    private static let failureSchema = JSONSchema.named(
        "JobFailure", .object([.init("code", .text), .init("message", .text)]))
    private static let usage = ObjectBody<TokenUsage>(
        "TokenUsage",
        [
            .init("uncached_input_tokens", .count) { .count($0.uncachedInput) },
            .init("cached_input_tokens", .count) { .count($0.cachedInput) },
            .init("output_tokens", .count) { .count($0.output) },
        ])

    private static let wait = ObjectBody<JobWait>(
        "JobWait",
        [
            .init("reason", .words(JobWait.Reason.allCases.map(\.rawValue))) { .string($0.reason.rawValue) },
            .init("message", .text) { .string($0.message) },
            .init("held_by", .nullable(.text), "The job that holds the site.") {
                .optional($0.heldBy) { .string($0.text) }
            },
            .init("since", .nullable(.time), "Since when it does.") { .optional($0.since, JSONValue.time) },
            .init("position", .integer(minimum: 1), "Its place in its line; 1 is next.") { .count($0.position) },
        ])

    static let table = ObjectBody<JobView>(
        "Job",
        [
            .init("id", .text) { .string($0.job.id.text) },
            .init("site_id", .text) { .string($0.job.site.text) },
            .init("kind", .words(Job.Kind.allCases.map(\.rawValue))) { .string($0.job.kind.rawValue) },
            .init("state", .words(Job.StateName.allCases.map(\.rawValue))) { .string($0.job.stateName.rawValue) },
            .init("step", .text) { .string($0.job.step) },
            .init("progress", .count, "0 to 100.") { .count($0.job.progress) },
            .init("attempt", .count) { .count($0.job.attempt) },
            .init("losses", .count, "Attempts that ended because the machinery broke.") { .count($0.job.losses) },
            .init("cancel_requested", .boolean) { .boolean($0.job.cancelRequestedAt != nil) },
            .init("wait_reason", .nullable(.text), "Why it waits, when it does.") {
                .optional($0.wait) { .string($0.message) }
            },
            .init("wait", .nullable(wait.schema), "The same for programs.") { .optional($0.wait, wait.json) },
            .init("edit_id", .nullable(.text)) { .optional($0.edit) { .string($0.id.text) } },
            .init("prompt", .nullable(.text)) { .optional($0.edit) { .string($0.prompt.text) } },
            .init("engine", .nullable(.text)) { .optional($0.edit) { .string($0.engine.rawValue) } },
            .init("base_version", .nullable(.version)) { .optional($0.edit) { .version($0.base) } },
            .init("host_id", .nullable(.text)) { .optional($0.host) { .string($0.text) } },
            .init("version", .nullable(.version), "What it made, when it succeeded.") {
                .optional($0.job.result, JSONValue.version)
            },
            .init("summary", .text) { .string($0.summary) },
            .init("findings", .array(FindingBody.table.schema)) { .array($0.findings.map(FindingBody.table.json)) },
            .init("failure", .nullable(failureSchema)) {
                .optional($0.job.failure) { ["code": .string($0.code), "message": .string($0.message)] }
            },
            .init("usage", usage.schema) { usage.json($0.usage) },
            .init("mode", .nullable(.text)) { .optional($0.edit) { .string($0.mode.rawValue) } },
            .init("planned_files", .array(.text), "Of an answered plan: what it would touch.") {
                .array(($0.edit?.plannedFiles ?? []).map { .string($0) })
            },
            .init("review", .nullable(ReviewBody.table.schema), "How far the change went.") {
                .optional($0.review, ReviewBody.table.json)
            },
            .init("model", .text, "The model that was asked; empty when none was, or when the worker chose it.") {
                .string($0.model)
            },
            .init("from_cache", .boolean, "Whether its answers were kept ones, so that no token was used.") {
                .boolean($0.isFromCache)
            },
            .init("created_at", .time) { .time($0.job.createdAt) },
            .init("updated_at", .time) { .time($0.job.updatedAt) },
        ])
}

extension Job {
    fileprivate var result: VersionNumber? {
        if case .succeeded(let version) = state { version } else { nil }
    }

    fileprivate var failure: JobFailure? {
        switch state {
        case .failed(let failure), .dead(let failure): failure
        case .queued, .ready, .leased, .succeeded, .answered, .cancelled: nil
        }
    }
}
