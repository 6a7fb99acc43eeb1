package import Artifacts
import BlockingIO
import Domain
import Validation

/// Checks the content of a version that is about to be made.
package struct ContentChecker: Sendable {
    private let facts: FileFactsSource
    private let surveys: FileSurveySource
    private let manifests: ManifestCache
    private let findings = FindingsCache()
    private let validator = ContentValidator()

    package init(facts: FileFactsSource, surveys: FileSurveySource, manifests: ManifestCache) {
        self.facts = facts
        self.surveys = surveys
        self.manifests = manifests
    }

    /// The warnings to store with the version, and how far the change went, when it was held against an expectation.
    ///
    /// - Throws: `validationFailed` with all findings when there is an error among them; ``RefusedChange`` with the same
    ///   when there was an expectation.
    func check(
        _ content: StagedContent, parent: Version?, origin: Version.Origin, expecting expectation: ChangeExpectation?
    ) async throws -> (warnings: [Finding], scope: ChangeScope?) {
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
        var errors = ruling.errors
        var warnings = ruling.warnings
        var scope: ChangeScope?
        if let parentManifest, let expectation {
            let review = try await ChangeGuard(request: expectation.request, locks: expectation.locks).review(
                content.manifest, parent: parentManifest,
                surveys: { try await surveys.survey(of: $0, in: content.batch) },
                pieces: { try await surveys.piece(from: $0, to: $1, in: content.batch) },
                knownOrigins: { try await knownOrigins(of: parentManifest) })
            scope = review.scope
            errors += review.findings.filter { $0.severity == .error }
            warnings += review.findings.filter { $0.severity == .warning }
            warnings += errors.filter(expectation.accepts).map(\.asWarning)
            errors.removeAll(where: expectation.accepts)
        }
        warnings = FindingDigest.shortened(warnings)
        guard errors.isEmpty else {
            let refusal = Self.refusal(FindingDigest.shortened(errors), warnings)
            guard let scope else { throw refusal }
            throw RefusedChange(refusal: refusal, scope: scope)
        }
        findings.insert(all, of: content.manifest.digest)
        return (warnings, scope)
    }

    private static func refusal(_ errors: [Finding], _ warnings: [Finding]) -> ServiceError {
        let first = errors.first?.message ?? "The site did not pass the checks."
        return ServiceError(
            .validationFailed, first, field: errors.first?.path, rule: errors.first?.rule,
            nextStep: errors.count > 1 ? "Mend this and \(errors.count - 1) more, then try again." : nil,
            findings: errors + warnings)
    }

    /// Whether an owner may let this pass for once: all that depends on what was asked for, and what was broken; never what
    /// no version may have.
    static func isAcceptable(_ finding: Finding) -> Bool {
        if let rule = GuardRule(rawValue: finding.rule) { return rule.isAcceptable }
        if let rule = ValidationRule(rawValue: finding.rule), case .breaking = rule.weight { return true }
        return false
    }

    /// Where any page of a version loads things from. Its facts are known by digest, so no page is read again.
    private func knownOrigins(of manifest: Manifest) async throws -> Set<String> {
        let pages = manifest.entries.filter { FileKind(of: $0.path) == .page }
        let known = try await facts.facts(of: pages, in: nil)
        return known.values.reduce(into: []) { origins, kinds in
            origins.formUnion(kinds[.page]?.origins ?? [])
        }
    }
}
