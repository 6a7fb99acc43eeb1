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

    /// Checks a version against the one that it was made from.
    ///
    /// Of the parent only the files that changed, and the pages that have findings in the new version, are looked at.
    package func check(
        _ manifest: Manifest, parent: Manifest?, origin: ValidationOrigin, facts: FactsSource
    ) async throws -> ValidationRuling {
        let new = try await check(manifest, facts: facts)
        guard let parent, origin == .edit else {
            return ValidationRuling.judge(new: new, parent: nil, origin: origin)
        }
        let breaking = new.filter { ValidationRule(rawValue: $0.rule)?.weight == .breaking }
        guard !breaking.isEmpty else { return ValidationRuling.judge(new: new, parent: [], origin: origin) }
        let suspects = Set(breaking.map(\.path))
        let compared = parent.entries.lazy.filter { entry in
            suspects.contains(entry.path.text) || manifest.entry(at: entry.path)?.digest != entry.digest
        }
        let old = try await check(parent, only: Set(compared.map(\.path)), facts: facts)
        return ValidationRuling.judge(new: new, parent: old, origin: origin)
    }
}
