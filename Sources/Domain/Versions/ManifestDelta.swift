/// What turns one manifest into another.
package struct ManifestDelta: Sendable, Equatable {
    /// Files that are new or have other content.
    package let upserts: [Manifest.Entry]
    package let removals: [SitePath]

    package init(upserts: [Manifest.Entry], removals: [SitePath]) {
        self.upserts = upserts
        self.removals = removals
    }

    package init(from base: Manifest, to target: Manifest) {
        let old = Dictionary(uniqueKeysWithValues: base.entries.map { ($0.path, $0) })
        let kept = Set(target.entries.map(\.path))
        upserts = target.entries.filter { old[$0.path] != $0 }
        removals = base.entries.map(\.path).filter { !kept.contains($0) }
    }

    package var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }

    /// The manifest that this makes of `base`. Removing what is not there is refused.
    package func applied(to base: Manifest, limits: Manifest.Limits = .standard) throws(ServiceError) -> Manifest {
        var entries = Dictionary(uniqueKeysWithValues: base.entries.map { ($0.path, $0) })
        for path in removals {
            guard entries.removeValue(forKey: path) != nil else {
                throw ServiceError(
                    .validationFailed, "cannot remove \"\(path)\": the base version has no such file",
                    rule: "delta-base")
            }
        }
        for entry in upserts { entries[entry.path] = entry }
        return try Manifest(Array(entries.values), limits: limits)
    }
}
