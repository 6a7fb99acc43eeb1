package import Artifacts
import BlockingIO
import Domain
import Validation

/// Checks the content of a version that is about to be made.
package struct ContentChecker: Sendable {
    private let facts: FileFactsSource
    private let manifests: ManifestCache
    private let findings = FindingsCache()
    private let validator = ContentValidator()

    package init(facts: FileFactsSource, manifests: ManifestCache) {
        self.facts = facts
        self.manifests = manifests
    }

    /// The warnings to store with the version.
    ///
    /// - Throws: `validationFailed` with all findings when there is an error among them.
    func check(_ content: StagedContent, parent: Version?, origin: Version.Origin) async throws -> [Finding] {
        var parentManifest: Manifest?
        if let parent { parentManifest = try await manifests.manifest(parent.digest) }
        let inherited = parent.flatMap { findings.known($0.digest) }
        var known: FileFactsSource.Known = [:]
        let (ruling, all) = try await validator.examine(
            content.manifest, parent: parentManifest, origin: ValidationOrigin(origin), inherited: inherited,
            prepare: { known = try await facts.facts(of: $0, in: content.batch) }
        ) { entry in
            if let facts = known[entry.digest, default: [:]][FileKind(of: entry.path)] { return facts }
            return try await facts.facts(of: [entry], in: content.batch)[entry.digest]?[FileKind(of: entry.path)]
        }
        let warnings = FindingDigest.shortened(ruling.warnings)
        guard ruling.isAccepted else {
            let errors = FindingDigest.shortened(ruling.errors)
            let first = errors.first?.message ?? "The site did not pass the checks."
            throw ServiceError(
                .validationFailed, first, field: errors.first?.path, rule: errors.first?.rule,
                nextStep: errors.count > 1 ? "Mend this and \(errors.count - 1) more, then try again." : nil,
                findings: errors + warnings)
        }
        findings.insert(all, of: content.manifest.digest)
        return warnings
    }
}
