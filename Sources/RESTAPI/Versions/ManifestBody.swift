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
