import Coordinator
import Domain
import Persistence

enum ServingBody {
    static let table = ObjectBody<ServingView>(
        "Serving",
        [
            .init("host_id", .text) { .string($0.host.text) },
            .init("host_name", .text) { .string($0.hostName) },
            .init("generation", .count, "Grows with every change that the host is to serve.") {
                .integer($0.generation)
            },
            .init("state", .words(Placement.State.allCases.map(\.rawValue))) { .string($0.state.rawValue) },
            .init("error", .nullable(.text), "Why the host refused; it goes on serving what it had.") {
                .optional($0.error) { .string($0) }
            },
            .init("fetched_files", .count) { .count($0.fetchedFiles) },
            .init("fetched_bytes", .count) { .integer($0.fetchedBytes) },
            .init("updated_at", .time) { .time($0.updatedAt) },
        ])
}

enum SiteBody {
    private static let maintenance = JSONSchema.named("Maintenance", .object([.init("message", .text)]))

    static let table = ObjectBody<SiteView>(
        "Site",
        [
            .init("id", .text) { .string($0.site.id.text) },
            .init("slug", .text) { .string($0.site.slug.text) },
            .init("name", .text) { .string($0.site.name) },
            .init("kind", .words(Site.Kind.allCases.map(\.rawValue))) { .string($0.site.kind.rawValue) },
            .init("live_version", .nullable(.version), "What visitors are to see.") {
                .optional($0.site.live, JSONValue.version)
            },
            .init("preview_version", .nullable(.version)) { .optional($0.site.preview, JSONValue.version) },
            .init("last_version", .nullable(.version)) { .optional($0.site.lastVersion, JSONValue.version) },
            .init("maintenance", .nullable(maintenance)) {
                .optional($0.site.maintenance) { ["message": .string($0.message)] }
            },
            .init(
                "mode", .words(AddressRules.Mode.allCases.map(\.rawValue)),
                "spa: addresses without a file show index.html."
            ) { .string($0.site.addresses.mode.rawValue) },
            .init("missing_page", .text, "The page for missing addresses.") { .string($0.site.addresses.missingPage) },
            .init("engine", .nullable(.text), "What edits it when an edit does not say.") {
                .optional($0.site.engine) { .string($0.rawValue) }
            },
            .init("domains", .array(.text)) { .array($0.domains.map { .string($0.text) }) },
            .init("url", .text) { .string($0.url) },
            .init("preview_url", .text) { .string($0.previewURL) },
            .init("created_at", .time) { .time($0.site.createdAt) },
            .init("serving", .array(ServingBody.table.schema), "What each host said about the site.") {
                .array($0.serving.map(ServingBody.table.json))
            },
        ])
}

enum TemplateBody {
    static let table = ObjectBody<SiteTemplate>(
        "Template",
        [
            .init("name", .text) { .string($0.name) },
            .init("title", .text) { .string($0.title) },
            .init("description", .text) { .string($0.description) },
        ])
}
