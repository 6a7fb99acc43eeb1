import Coordinator
import Domain

enum VersionBody {
    private static let origin = JSONSchema.named(
        "Origin",
        .object([
            .init("kind", .words(["template", "upload", "edit"])),
            .init("template", .text, isRequired: false), .init("edit_id", .text, isRequired: false),
            .init("job_id", .text, isRequired: false), .init("engine", .text, isRequired: false),
        ]))

    static let table = ObjectBody<VersionView>(
        "Version",
        [
            .init("site_id", .text) { .string($0.version.site.text) },
            .init("number", .version) { .version($0.version.number) },
            .init("digest", .text, "The SHA-256 of the manifest.") { .string($0.version.digest.text) },
            .init("parent", .nullable(.version)) { .optional($0.version.parent, JSONValue.version) },
            .init("origin", origin) { json($0.version.origin) },
            .init("author_id", .text) { .string($0.version.author.text) },
            .init("summary", .text) { .string($0.version.summary) },
            .init("files", .count) { .count($0.version.files) },
            .init("size_bytes", .count) { .integer($0.version.totalSizeInBytes) },
            .init("findings", .array(FindingBody.table.schema)) {
                .array($0.version.findings.map(FindingBody.table.json))
            },
            .init("signature", .text, "Ed25519, in hexadecimal.") {
                .string(Hexadecimal.text(of: $0.version.signature))
            },
            .init("created_at", .time) { .time($0.version.createdAt) },
            .init("is_live", .boolean) { .boolean($0.isLive) },
            .init("is_preview", .boolean) { .boolean($0.isPreview) },
            .init("name", .text, "What people call it; empty when it has no name.") { .string($0.label.name) },
            .init("pinned", .boolean) { .boolean($0.label.isPinned) },
        ])

    private static func json(_ origin: Version.Origin) -> JSONValue {
        switch origin {
        case .template(let name): ["kind": "template", "template": .string(name)]
        case .upload: ["kind": "upload"]
        case .edit(let edit, let job, let engine):
            [
                "kind": "edit", "edit_id": .string(edit.text), "job_id": .string(job.text),
                "engine": .string(engine.rawValue),
            ]
        }
    }
}
