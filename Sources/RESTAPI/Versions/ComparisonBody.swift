import Coordinator
import Domain

/// What differs between two versions, as deep as was asked for. What a view does not show is null.
enum ComparisonBody {
    enum View: String, CaseIterable {
        case files, text, outline, findings, screens

        /// The one that the request names; the files when it names none.
        init(_ request: APIRequest, among views: [View]) throws {
            guard let word = request.query["view"] else {
                self = .files
                return
            }
            guard let view = View(rawValue: word), views.contains(view) else {
                throw ServiceError(
                    .invalidArgument, "there is no view \"\(word.prefix(40))\"", field: "view", rule: "diff-view",
                    nextStep: "Use one of: " + views.map(\.rawValue).joined(separator: ", ") + ".")
            }
            self = view
        }
    }

    static func viewParameter(_ views: [View]) -> APIRoute.QueryParameter {
        APIRoute.QueryParameter(
            name: "view", schema: .words(views.map(\.rawValue)),
            description:
                "How deep to look: files, lines of text, what a reader sees, findings and weight, or pictures; files when left out."
        )
    }

    private static let content = ObjectBody<Manifest.Entry>(
        "Content",
        [
            .init("size_bytes", .count) { .integer($0.sizeInBytes) },
            .init("sha256", .text) { .string($0.digest.text) },
        ])

    private static let piece = ObjectBody<TextDiff.Piece>(
        "TextPiece",
        [
            .init("text", .text) { .string($0.text) },
            .init("changed", .boolean, "Whether this is what differs within the line.") { .boolean($0.isChanged) },
        ])

    private static let line = ObjectBody<(line: TextDiff.Line, pieces: [TextDiff.Piece])>(
        "TextLine",
        [
            .init("kind", .words(["same", "removed", "added", "gap"])) { .string(kind(of: $0.line)) },
            .init("pieces", .array(piece.schema)) { .array($0.pieces.map(piece.json)) },
            .init("hidden", .count, "Of a gap: how many lines are the same and not shown.") {
                if case .gap(let count) = $0.line { .count(count) } else { .count(0) }
            },
        ])

    private static func kind(of line: TextDiff.Line) -> String {
        switch line {
        case .same: "same"
        case .removed: "removed"
        case .added: "added"
        case .gap: "gap"
        }
    }

    private static let text = ObjectBody<VersionComparison.TextFile.Content>(
        "TextDiff",
        [
            .init("state", .words(["text", "binary", "too-large"])) {
                switch $0 {
                case .text: "text"
                case .binary: "binary"
                case .tooLarge: "too-large"
                }
            },
            .init("added", .count, "Lines.") { .count($0.diff?.added ?? 0) },
            .init("removed", .count, "Lines.") { .count($0.diff?.removed ?? 0) },
            .init("lines", .array(line.schema)) {
                .array(
                    ($0.diff.map { Array(zip($0.lines, $0.pieces)) } ?? []).map {
                        line.json((line: $0.0, pieces: $0.1))
                    })
            },
        ])

    private static let item = ObjectBody<OutlineItem>(
        "OutlineItem",
        [
            .init("kind", .words(OutlineItem.Kind.allCases.map(\.rawValue))) { .string($0.kind.rawValue) },
            .init("level", .count, "Of a heading: 1 to 6; otherwise 0.") { .count($0.level) },
            .init("text", .text) { .string($0.text) },
            .init("target", .text, "Where it leads, or what it shows.") { .string($0.target) },
            .init("section", .text, "The heading that it stands under.") { .string($0.section) },
        ])

    private static let entry = ObjectBody<OutlineDiff.Entry>(
        "OutlineChange",
        [
            .init("change", .words(OutlineDiff.Change.allCases.map(\.rawValue))) { .string($0.change.rawValue) },
            .init("sentence", .text) { .string($0.sentence) },
            .init("before", .nullable(item.schema)) { .optional($0.before, item.json) },
            .init("after", .nullable(item.schema)) { .optional($0.after, item.json) },
        ])

    private static let outline = ObjectBody<VersionComparison.OutlineFile>(
        "OutlineDiff",
        [
            .init("sentence", .text, "About the file as a whole; empty when the changes say all.") {
                .string($0.sentence)
            },
            .init("changes", .array(entry.schema)) { .array($0.entries.map(entry.json)) },
        ])

    private struct File {
        let file: ManifestDiff.File
        var text: VersionComparison.TextFile?
        var outline: VersionComparison.OutlineFile?
    }

    private static let file = ObjectBody<File>(
        "ChangedFile",
        [
            .init("path", .text) { .string($0.file.path.text) },
            .init("change", .words(["added", "modified", "removed"])) { .string($0.file.change.rawValue) },
            .init("before", .nullable(content.schema)) { .optional($0.file.before, content.json) },
            .init("after", .nullable(content.schema)) { .optional($0.file.after, content.json) },
            .init("text", .nullable(text.schema), "In the view text.") { .optional($0.text) { text.json($0.content) } },
            .init("outline", .nullable(outline.schema), "In the view outline.") { .optional($0.outline, outline.json) },
        ])

    private static let delta = ObjectBody<VersionDelta>(
        "VersionDelta",
        [
            .init("bytes_before", .count) { .integer($0.bytesBefore) },
            .init("bytes_after", .count) { .integer($0.bytesAfter) },
            .init("files_before", .count) { .count($0.filesBefore) },
            .init("files_after", .count) { .count($0.filesAfter) },
            .init("appeared", .array(FindingBody.table.schema), "Findings of the newer version only.") {
                .array($0.appeared.map(FindingBody.table.json))
            },
            .init("vanished", .array(FindingBody.table.schema), "Findings of the older version only.") {
                .array($0.vanished.map(FindingBody.table.json))
            },
        ])

    private struct Comparison {
        var from: Int?
        var to: Int?
        let view: View
        var files: [File] = []
        var delta: VersionDelta?
        var screens: (site: String, screens: VersionScreens)?
    }

    private static let table = ObjectBody<Comparison>(
        "Diff",
        [
            .init("from", .nullable(.version)) { .optional($0.from) { .count($0) } },
            .init("to", .nullable(.version), "Null for what was refused.") { .optional($0.to) { .count($0) } },
            .init("view", .words(View.allCases.map(\.rawValue))) { .string($0.view.rawValue) },
            .init("files", .array(file.schema), "Sorted by path; the deeper views show the first hundred.") {
                .array($0.files.map(file.json))
            },
            .init("delta", .nullable(delta.schema), "In the view findings.") { .optional($0.delta, delta.json) },
            .init("screens", .nullable(ScreensBody.table.schema), "In the view screens.") {
                .optional($0.screens, ScreensBody.table.json)
            },
        ])

    static let schema = table.schema

    static func json(
        _ view: View, of subject: VersionComparison.Subject, by comparison: VersionComparison,
        _ pageChecks: PageCheckService? = nil, for principal: Principal
    ) async throws -> JSONValue {
        var result = Comparison(view: view)
        if case .versions(let from, let to, _) = subject { (result.from, result.to) = (from, to) }
        switch view {
        case .files:
            result.files = try await comparison.files(subject, for: principal).files.map { File(file: $0) }
        case .text:
            result.files = try await comparison.text(subject, for: principal).map { File(file: $0.file, text: $0) }
        case .outline:
            result.files = try await comparison.outline(subject, for: principal).map {
                File(file: $0.file, outline: $0)
            }
        case .findings:
            result.files = try await comparison.files(subject, for: principal).files.map { File(file: $0) }
            if case .versions(let from, let to, let site) = subject {
                result.delta = try await comparison.delta(from: from, to: to, of: site, for: principal)
            }
        case .screens:
            result.files = try await comparison.files(subject, for: principal).files.map { File(file: $0) }
            if case .versions(let from, let to, let site) = subject, let pageChecks {
                result.screens = (
                    site, try await pageChecks.screens(from: from, to: to, of: site, for: principal)
                )
            }
        }
        return table.json(result)
    }
}

extension VersionComparison.TextFile.Content {
    fileprivate var diff: TextDiff? { if case .text(let diff) = self { diff } else { nil } }
}
