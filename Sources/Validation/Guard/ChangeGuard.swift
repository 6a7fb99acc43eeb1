package import Domain
import Markup

/// Compares what an edit made with what was there, and says what nobody asked for: things that are gone, files outside of
/// what was named, things that could harm a visitor, and what became worse.
///
/// Pure, and it looks at changed files only (and at the home page, which new pages are modelled on). What the parent had
/// is never a finding.
package struct ChangeGuard: Sendable {
    package struct Review: Sendable, Equatable {
        /// Sorted by path; errors are those that stop the version unless somebody accepts them.
        package let findings: [Finding]
        package let scope: ChangeScope
    }

    /// Gives what is known of a file; `nil` says that it cannot be read, and leaves it unchecked.
    package typealias SurveySource = (Manifest.Entry) async throws -> FileSurvey?
    /// Says how a page changed when it did so by one small piece. That is quickly seen, and most pages of a change that
    /// touches hundreds, such as a new entry of the menu, change so.
    package typealias PieceSource = (_ old: Manifest.Entry, _ new: Manifest.Entry) async throws -> PieceChange?

    private let request: RequestWords
    private let locks: [PathPattern]
    private let budget: WeightBudget

    package init(request: RequestWords, locks: [PathPattern] = [], budget: WeightBudget = .standard) {
        self.request = request
        self.locks = locks
        self.budget = budget
    }

    /// - Parameter knownOrigins: where the whole parent site loads things from; asked for only when a changed file names a
    ///   new one.
    package func review(
        _ manifest: Manifest, parent: Manifest, surveys: SurveySource, pieces: PieceSource = { _, _ in nil },
        knownOrigins: () async throws -> Set<String> = { [] }
    ) async throws -> Review {
        let delta = ManifestDelta(from: parent, to: manifest)
        var changes = GuardedChanges(
            request: request, budget: budget, manifest: manifest, parent: parent, delta: delta)
        if let entry = try SitePath("index.html").entry(in: parent) { changes.homeBefore = try await surveys(entry) }
        for path in delta.removals {
            try Task.checkCancellation()
            guard let entry = parent.entry(at: path) else { continue }
            let before = FileSurvey.isWorthReading(path) ? try await surveys(entry) : nil
            changes.note(path, before: before, after: nil)
        }
        var settled: [Manifest.Entry] = []
        for entry in delta.upserts {
            try Task.checkCancellation()
            if changes.mayChangeByPieces, FileKind(of: entry.path) == .page, let old = parent.entry(at: entry.path),
                abs(old.sizeInBytes - entry.sizeInBytes) <= PieceChange.sizeLimit,
                let piece = try await pieces(old, entry), changes.settle(piece, on: entry.path)
            {
                settled.append(entry)
                continue
            }
            try await Self.note(entry, parent, surveys, in: &changes)
        }
        // What else was lost may stand on one of these, or be named by a word of theirs.
        if changes.needsEveryPage {
            for entry in settled {
                try Task.checkCancellation()
                try await Self.note(entry, parent, surveys, in: &changes)
            }
        }
        if changes.hasNewOrigins { changes.forget(origins: try await knownOrigins()) }

        let touched = delta.removals + delta.upserts.map(\.path)
        let named = request.namedFiles(among: parent.entries.map(\.path))
        let outside = touched.filter { path in
            !named.isEmpty && !named.contains(path) && parent.entry(at: path) != nil && !changes.follows(path)
        }
        var findings = changes.findings()
        for path in touched.sorted() {
            guard let lock = locks.first(where: { $0.matches(path) }) else { continue }
            findings.append(
                GuardRule.fileLocked.finding(
                    at: path.text, subject: lock.text,
                    "The file \"\(path)\" is locked (\(lock)), and the edit changed it."))
        }
        for path in outside {
            findings.append(
                GuardRule.outsideScope.finding(
                    at: path.text,
                    "The file \"\(path)\" was changed, but the request named only \(Self.list(named))."))
        }
        return Review(
            findings: SiteCheck.sorted(findings),
            scope: ChangeScope(changed: touched.count, total: manifest.entries.count, outside: outside.count))
    }

    private static func note(
        _ entry: Manifest.Entry, _ parent: Manifest, _ surveys: SurveySource, in changes: inout GuardedChanges
    ) async throws {
        let isRead = FileSurvey.isWorthReading(entry.path)
        var before: FileSurvey?
        if isRead, let old = parent.entry(at: entry.path) { before = try await surveys(old) }
        changes.note(entry.path, before: before, after: isRead ? try await surveys(entry) : nil)
    }

    private static func list(_ paths: Set<SitePath>) -> String {
        let shown = paths.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        return paths.count > 3 ? "\(shown) and \(paths.count - 3) more" : shown
    }
}

extension SitePath {
    fileprivate func entry(in manifest: Manifest) -> Manifest.Entry? { manifest.entry(at: self) }
}
