/// What differs between two versions, file by file.
package struct ManifestDiff: Sendable, Equatable {
    package enum Change: String, Sendable { case added, modified, removed }

    package struct File: Sendable, Equatable {
        package let path: SitePath
        package let change: Change
        package let before: Manifest.Entry?
        package let after: Manifest.Entry?
    }

    /// Sorted by path.
    package let files: [File]

    package init(from base: Manifest, to target: Manifest) {
        let delta = ManifestDelta(from: base, to: target)
        let changed = delta.upserts.map { entry in
            let before = base.entry(at: entry.path)
            return File(path: entry.path, change: before == nil ? .added : .modified, before: before, after: entry)
        }
        let removed = delta.removals.map {
            File(path: $0, change: .removed, before: base.entry(at: $0), after: nil)
        }
        files = (changed + removed).sorted { $0.path < $1.path }
    }
}
