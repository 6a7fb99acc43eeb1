package import Domain
import Markup

/// Checks a version: its list of files, and what is known of each file.
///
/// Pure: it reads nothing itself. Findings of hard rules are errors and all others are warnings, until
/// ``ValidationRuling`` judges them. The list is complete; ``FindingDigest`` shortens it for people.
package struct ContentValidator: Sendable {
    /// Gives the facts of a file, from a cache or by ``FileFacts/extract(_:from:)``. Asked once for each entry whose
    /// ``FileKind`` needs bytes; `nil` says that the file cannot be read, and leaves it unchecked.
    package typealias FactsSource = (Manifest.Entry) async throws -> FileFacts?

    package init() {}

    /// All findings, sorted by path.
    ///
    /// - Parameter only: when given, only files at these paths (and the site as a whole) are judged. Facts of other
    ///   pages are asked for only when a link into them names a place on the page.
    package func check(
        _ manifest: Manifest, only: Set<SitePath>? = nil, facts: FactsSource
    ) async throws -> [Finding] {
        var check = SiteCheck(manifest)
        for entry in manifest.entries where only?.contains(entry.path) ?? true {
            try Task.checkCancellation()
            check.judgePath(of: entry)
            guard FileKind(of: entry.path).needsBytes else { continue }
            if let facts = try await facts(entry) { check.judge(facts, of: entry.path) }
        }
        for path in check.pagesWithUnknownAnchors() {
            guard let entry = manifest.entry(at: path), let page = try await facts(entry)?.page else { continue }
            check.noteAnchors(page.anchors, of: path)
        }
        return check.finish()
    }

    /// All findings of a version of which only the content of some files differs from `parent`, whose findings are
    /// `inherited`. Costs time in proportion to the change.
    ///
    /// - Returns: `nil` when the change may reach files that it did not touch: when names come or go, or places on pages
    ///   that links of other pages may name. Then the whole version has to be checked.
    package func check(
        _ manifest: Manifest, changedFrom parent: Manifest, inherited: [Finding], facts: FactsSource
    ) async throws -> [Finding]? {
        guard manifest.entries.count == parent.entries.count else { return nil }
        let delta = ManifestDelta(from: parent, to: manifest)
        guard delta.removals.isEmpty else { return nil }
        for entry in delta.upserts where FileKind(of: entry.path) == .page {
            guard let old = parent.entry(at: entry.path) else { return nil }
            let (before, after) = (try await facts(old)?.page, try await facts(entry)?.page)
            guard before?.anchors == after?.anchors else { return nil }
        }
        let changed = Set(delta.upserts.map(\.path))
        let names = Set(changed.map(\.text))
        // What concerns the site as a whole has no path, and is found again.
        let kept = inherited.filter { !$0.path.isEmpty && !names.contains($0.path) }
        return SiteCheck.sorted(kept + (try await check(manifest, only: changed, facts: facts)))
    }

    /// Checks a version against the one that it was made from.
    ///
    /// Of the parent only the files that changed, and the pages that have findings in the new version, are looked at.
    package func check(
        _ manifest: Manifest, parent: Manifest?, origin: ValidationOrigin, facts: FactsSource
    ) async throws -> ValidationRuling {
        try await examine(manifest, parent: parent, origin: origin, inherited: nil, facts: facts).ruling
    }

    /// As ``check(_:parent:origin:facts:)``, for who keeps the findings of versions.
    /// - Parameter inherited: all findings of the parent, when they are known; then nothing of it is looked at again.
    /// - Parameter prepare: is told which entries are about to be asked for, so that they can be read together.
    /// - Returns: the ruling, and all findings, to be handed in when a version is made of this one.
    package func examine(
        _ manifest: Manifest, parent: Manifest?, origin: ValidationOrigin, inherited: [Finding]?,
        prepare: ([Manifest.Entry]) async throws -> Void = { _ in }, facts: FactsSource
    ) async throws -> (ruling: ValidationRuling, findings: [Finding]) {
        var known: [Finding]?
        if let parent, let inherited {
            try await prepare(ManifestDelta(from: parent, to: manifest).upserts)
            known = try await check(manifest, changedFrom: parent, inherited: inherited, facts: facts)
        }
        if known == nil { try await prepare(manifest.entries) }
        let new = if let known { known } else { try await check(manifest, facts: facts) }
        guard let parent, origin == .edit else {
            return (ValidationRuling.judge(new: new, parent: nil, origin: origin), new)
        }
        if let inherited { return (ValidationRuling.judge(new: new, parent: inherited, origin: origin), new) }
        let breaking = new.filter { ValidationRule(rawValue: $0.rule)?.weight == .breaking }
        guard !breaking.isEmpty else {
            return (ValidationRuling.judge(new: new, parent: [], origin: origin), new)
        }
        let suspects = Set(breaking.map(\.path))
        let compared = parent.entries.lazy.filter { entry in
            suspects.contains(entry.path.text) || manifest.entry(at: entry.path)?.digest != entry.digest
        }
        let old = try await check(parent, only: Set(compared.map(\.path)), facts: facts)
        return (ValidationRuling.judge(new: new, parent: old, origin: origin), new)
    }
}
