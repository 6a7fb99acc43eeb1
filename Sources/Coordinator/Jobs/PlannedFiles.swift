import Domain

/// Which files a plan would touch.
enum PlannedFiles {
    private static let most = 200

    /// Those that the engine changed while it planned, and those of the site that it names; sorted.
    static func files(in text: String, changes: ManifestDelta?, of manifest: Manifest) -> [String] {
        var files: Set<String> = []
        if let changes {
            files.formUnion(changes.upserts.map(\.path.text))
            files.formUnion(changes.removals.map(\.text))
        }
        let words = Set(
            text.split { $0.isWhitespace || "\"'`,;:()[]<>*“”„".contains($0) }.map { word -> Substring in
                var word = word.drop { $0 == "/" }
                while let last = word.last, ".!?".contains(last) { word.removeLast() }
                return word.hasPrefix("./") ? word.dropFirst(2) : word
            })
        for entry in manifest.entries where words.contains(Substring(entry.path.text)) { files.insert(entry.path.text) }
        return Array(files.sorted().prefix(most))
    }
}
