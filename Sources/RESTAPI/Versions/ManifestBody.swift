import Domain

enum ManifestBody {
    private static let file = ObjectBody<Manifest.Entry>(
        "File",
        [
            .init("path", .text) { .string($0.path.text) },
            .init("size_bytes", .count) { .integer($0.sizeInBytes) },
            .init("sha256", .text) { .string($0.digest.text) },
        ])

    static let table = ObjectBody<(digest: ContentDigest, manifest: Manifest)>(
        "Manifest",
        [
            .init("digest", .text) { .string($0.digest.text) },
            .init("files", .array(file.schema), "Sorted by path.") { .array($0.manifest.entries.map(file.json)) },
        ])
}

enum DiffBody {
    private static let content = ObjectBody<Manifest.Entry>(
        "Content",
        [
            .init("size_bytes", .count) { .integer($0.sizeInBytes) },
            .init("sha256", .text) { .string($0.digest.text) },
        ])

    private static let file = ObjectBody<ManifestDiff.File>(
        "ChangedFile",
        [
            .init("path", .text) { .string($0.path.text) },
            .init("change", .words(["added", "modified", "removed"])) { .string($0.change.rawValue) },
            .init("before", .nullable(content.schema)) { .optional($0.before, content.json) },
            .init("after", .nullable(content.schema)) { .optional($0.after, content.json) },
        ])

    static let table = ObjectBody<(from: Int, to: Int, diff: ManifestDiff)>(
        "Diff",
        [
            .init("from", .version) { .count($0.from) },
            .init("to", .version) { .count($0.to) },
            .init("files", .array(file.schema), "Sorted by path.") { .array($0.diff.files.map(file.json)) },
        ])
}
