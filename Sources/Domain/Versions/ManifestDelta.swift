/// What turns one manifest into another.
package struct ManifestDelta: Sendable, Equatable {
    /// Files that are new or have other content.
    package let upserts: [Manifest.Entry]
    package let removals: [SitePath]

    package init(upserts: [Manifest.Entry], removals: [SitePath]) {
        self.upserts = upserts
        self.removals = removals
    }

    /// Both lists are sorted, so one walk along them finds what differs.
    package init(from base: Manifest, to target: Manifest) {
        var upserts: [Manifest.Entry] = []
        var removals: [SitePath] = []
        var old = base.entries[...]
        for entry in target.entries {
            while let first = old.first, first.path < entry.path {
                removals.append(first.path)
                old.removeFirst()
            }
            guard let first = old.first, first.path == entry.path else {
                upserts.append(entry)
                continue
            }
            if first != entry { upserts.append(entry) }
            old.removeFirst()
        }
        self.upserts = upserts
        self.removals = removals + old.map(\.path)
    }

    package var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }

    /// The manifest that this makes of `base`. Removing what is not there is refused.
    package func applied(to base: Manifest, limits: Manifest.Limits = .standard) throws(ServiceError) -> Manifest {
        // The usual edit adds no name, so no two names can collide that did not before.
        if removals.isEmpty, let manifest = base.replacing(upserts, limits: limits) { return manifest }
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
