package import Artifacts
package import Database
package import Domain
package import Persistence
import Validation

/// Says what differs between two versions, or between a version and a change that was refused.
package struct VersionComparison: Sendable {
    /// A changed file with its lines.
    package struct TextFile: Sendable {
        package enum Content: Sendable {
            case text(TextDiff)
            /// Pictures and other files without lines.
            case binary
            case tooLarge
        }

        package let file: ManifestDiff.File
        package let content: Content
    }

    /// A changed page in the words of its readers; another file as a sentence.
    package struct OutlineFile: Sendable {
        package let file: ManifestDiff.File
        package let entries: [OutlineDiff.Entry]
        /// About the file as a whole; empty when the entries say all.
        package let sentence: String
    }

    private struct Sides: Sendable {
        let before: Manifest
        let after: Manifest
    }

    private static let textLimit: Int64 = 512 << 10
    /// How many files are looked into.
    private static let fileLimit = 100
    /// After which no more texts are compared for one request.
    private static let patience = Duration.seconds(5)
    private static let texts: Set<String> = [
        "html", "htm", "xhtml", "css", "js", "mjs", "cjs", "json", "jsonld", "txt", "md", "markdown", "svg", "xml",
        "csv",
        "webmanifest", "yml", "yaml", "toml", "ini", "vtt", "srt", "ics", "",
    ]

    private let database: any SQLDatabase
    private let stores: Stores
    private let blobs: any BlobStore
    private let manifests: ManifestCache
    private let surveys: FileSurveySource

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache,
        surveys: FileSurveySource
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.surveys = surveys
    }

    /// What to compare; both sides belong to one site of the caller.
    package enum Subject: Sendable {
        case versions(from: Int, to: Int, site: String)
        /// What a job made, against what it started from; also when it was refused.
        case job(JobID)
    }

    /// Sorted by path.
    package func files(_ subject: Subject, for principal: Principal) async throws -> ManifestDiff {
        let sides = try await sides(subject, for: principal)
        return ManifestDiff(from: sides.before, to: sides.after)
    }

    /// The changed files with their lines, the first hundred of them.
    package func text(_ subject: Subject, for principal: Principal) async throws -> [TextFile] {
        var result: [TextFile] = []
        // Some texts take long to compare; one request may not take the machine from the others.
        let deadline = ContinuousClock.now + Self.patience
        for file in try await files(subject, for: principal).files.prefix(Self.fileLimit) {
            try Task.checkCancellation()
            let content = ContinuousClock.now < deadline ? try await content(of: file) : .tooLarge
            result.append(TextFile(file: file, content: content))
        }
        return result
    }

    private func content(of file: ManifestDiff.File) async throws -> TextFile.Content {
        guard Self.texts.contains(file.path.fileExtension) else { return .binary }
        guard [file.before, file.after].allSatisfy({ $0?.sizeInBytes ?? 0 <= Self.textLimit }) else { return .tooLarge }
        guard let before = try await text(of: file.before), let after = try await text(of: file.after) else {
            return .binary
        }
        return TextDiff(from: before, to: after).map { TextFile.Content.text($0) } ?? .tooLarge
    }

    /// `nil` when it is not text.
    private func text(of entry: Manifest.Entry?) async throws -> String? {
        guard let entry else { return "" }
        return String(validating: try await blobs.read(entry.digest, limit: Int(Self.textLimit)), as: UTF8.self)
    }

    /// What changed, in the words of those who read the pages; the first hundred files.
    package func outline(_ subject: Subject, for principal: Principal) async throws -> [OutlineFile] {
        var result: [OutlineFile] = []
        for file in try await files(subject, for: principal).files.prefix(Self.fileLimit) {
            try Task.checkCancellation()
            var entries: [OutlineDiff.Entry] = []
            if file.path.isHTML {
                let before = try await items(of: file.before)
                let after = try await items(of: file.after)
                entries = OutlineDiff(from: before, to: after).entries
            }
            result.append(OutlineFile(file: file, entries: entries, sentence: Self.sentence(file, entries)))
        }
        return result
    }

    private func items(of entry: Manifest.Entry?) async throws -> [OutlineItem] {
        guard let entry else { return [] }
        return try await surveys.survey(of: entry)?.outline ?? []
    }

    private static func sentence(_ file: ManifestDiff.File, _ entries: [OutlineDiff.Entry]) -> String {
        let kind =
            switch file.path.fileExtension {
            case "html", "htm", "xhtml": "page"
            case "css": "style sheet"
            case "js", "mjs", "cjs": "script"
            case "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico": "picture"
            case "woff", "woff2", "ttf", "otf": "font"
            default: "file"
            }
        switch file.change {
        case .added: return "Added the \(kind) \"\(file.path)\"."
        case .removed: return "Removed the \(kind) \"\(file.path)\"."
        case .modified:
            if !entries.isEmpty { return "" }
            return file.path.isHTML
                ? "Changed how the page \"\(file.path)\" is made, not what it says."
                : "Changed the \(kind) \"\(file.path)\"."
        }
    }

    /// How two versions differ in weight and in findings.
    package func delta(
        from base: Int, to target: Int, of reference: String, for principal: Principal
    ) async throws -> VersionDelta {
        try await database.read { transaction in
            let access = SiteAccess(stores: stores)
            let site = try await access.find(reference, for: principal, in: transaction)
            return VersionDelta(
                from: try await access.version(base, of: site, in: transaction),
                to: try await access.version(target, of: site, in: transaction))
        }
    }

    private func sides(_ subject: Subject, for principal: Principal) async throws -> Sides {
        let (before, after) = try await database.read { transaction -> (ContentDigest, ContentDigest) in
            let access = SiteAccess(stores: stores)
            switch subject {
            case .versions(let base, let target, let reference):
                let site = try await access.find(reference, for: principal, in: transaction)
                return (
                    try await access.version(base, of: site, in: transaction).digest,
                    try await access.version(target, of: site, in: transaction).digest
                )
            case .job(let id):
                guard let record = try await stores.jobs.find(id, in: transaction),
                    let site = try await stores.sites.find(record.job.site, in: transaction),
                    site.owner == principal.user || principal.isAdmin
                else { throw ServiceError(.notFound, "there is no job \(id)", field: "job") }
                guard let edit = try await stores.edits.find(job: id, in: transaction),
                    let review = try await stores.reviews.find(id, in: transaction),
                    let base = try await stores.versions.find(edit.base, of: site.id, in: transaction)
                else {
                    throw ServiceError(
                        .failedPrecondition, "the job \(id) made no change that could be shown", rule: "no-change")
                }
                return (base.digest, review.digest)
            }
        }
        return Sides(before: try await manifests.manifest(before), after: try await manifests.manifest(after))
    }
}
