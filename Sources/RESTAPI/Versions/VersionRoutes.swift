import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

struct VersionRoutes {
    let versions: VersionService
    let sites: SiteService
    let comparison: VersionComparison
    let pageChecks: PageCheckService

    private static let feature = "Versions"
    private static let path = "/api/v1/sites/{site}/versions"
    private static let one = path + "/{version}"

    var routes: [APIRoute] { [list, upload, find, manifest, file, archive, diff, label, write] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "The versions of a site, newest first", feature: Self.feature, query: .paging,
            content: .json(VersionBody.table.pageSchema), errors: [.notFound]
        ) { request in
            let page = try await versions.list(
                of: request.parameter("site"), page: try request.page(), for: try request.principal)
            return .json(VersionBody.table.json(page))
        }
    }

    private var upload: APIRoute {
        APIRoute(
            .post, Self.path, "Upload a .tar.gz, .tar or .zip; it becomes a version and the preview",
            feature: Self.feature, input: .archive,
            query: [.init(name: "promote", schema: .boolean, description: "Make it live too.")], status: .created,
            content: .json(VersionBody.table.schema), errors: [.notFound, .validationFailed],
            admit: { request in
                // A stranger's upload is not worth a disk.
                _ = try await sites.find(request.parameter("site"), for: try request.principal)
            }
        ) { request in
            guard let upload = request.upload else { preconditionFailure("the route takes an archive") }
            return try await request.once(VersionBody.table.json) {
                try await versions.importArchive(
                    at: upload.path, into: request.parameter("site"),
                    promote: request.query.boolean("promote") ?? false, for: try request.principal, once: $0)
            }
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.one, "One version", feature: Self.feature, content: .json(VersionBody.table.schema),
            errors: [.notFound]
        ) { request in
            let version = try await versions.find(
                try request.versionNumber(), of: request.parameter("site"), for: try request.principal)
            return .json(VersionBody.table.json(version))
        }
    }

    private var label: APIRoute {
        APIRoute(
            .put, Self.one + "/label", "Name or pin a version; what is left out stays", feature: Self.feature,
            input: .json(
                .object([
                    JSONSchema.optional("name", .text, "At most 80 characters; empty takes it off."),
                    JSONSchema.optional("pinned", .boolean),
                ])), content: .json(VersionBody.table.schema), errors: [.notFound]
        ) { request in
            try await request.once(VersionBody.table.json) {
                try await versions.label(
                    try request.versionNumber(), of: request.parameter("site"),
                    name: request.body.optionalString("name"), isPinned: request.body.optionalBoolean("pinned"),
                    for: try request.principal, once: $0)
            }
        }
    }

    private var write: APIRoute {
        APIRoute(
            .post, Self.one + "/texts", "Write one text of a page anew, without an engine; makes a version",
            feature: Self.feature,
            input: .json(
                .object([
                    .init("path", .text, "Such as index.html."), .init("old", .text, "As it reads now."),
                    .init("new", .text),
                    JSONSchema.optional("index", .count, "Which of several that read so; 0 is the first."),
                ])), status: .created, content: .json(VersionBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition, .validationFailed]
        ) { request in
            try await request.once(VersionBody.table.json) {
                try await versions.write(
                    TextChange(
                        path: request.body.string("path"), old: request.body.string("old"),
                        index: request.body.optionalInteger("index") ?? 0, new: request.body.string("new")),
                    into: try request.versionNumber(), of: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }

    private var manifest: APIRoute {
        APIRoute(
            .get, Self.one + "/manifest", "The files of a version", feature: Self.feature,
            content: .json(ManifestBody.table.schema), errors: [.notFound]
        ) { request in
            let (version, manifest) = try await versions.manifest(
                try request.versionNumber(), of: request.parameter("site"), for: try request.principal)
            return .json(ManifestBody.table.json((version.digest, manifest)))
        }
    }

    private var file: APIRoute {
        APIRoute(
            .get, Self.one + "/files/{path}", "The bytes of one file", feature: Self.feature,
            content: .other("application/octet-stream"),
            otherStatuses: [(.notModified, "The caller has it already (If-None-Match).")], errors: [.notFound]
        ) { request in
            let (entry, store) = try await versions.file(
                path: request.parameter("path"), version: try request.versionNumber(), of: request.parameter("site"),
                for: try request.principal)
            return .response(FileAnswer(entry: entry, store: store).response(to: request.request))
        }
    }

    private var archive: APIRoute {
        APIRoute(
            .get, Self.one + "/archive", "A version as .tar.gz; always the same bytes", feature: Self.feature,
            content: .other("application/gzip"), errors: [.notFound]
        ) { request in
            let number = try request.versionNumber()
            let principal = try request.principal
            let site = try await sites.find(request.parameter("site"), for: principal).site
            _ = try await versions.find(number, of: site.id.text, for: principal)
            return .response(
                ArchiveAnswer(versions: versions, site: site, number: number, principal: principal).response)
        }
    }

    private var diff: APIRoute {
        APIRoute(
            .get, Self.one + "/diff/{to}", "What changed between two versions", feature: Self.feature,
            query: [ComparisonBody.viewParameter(ComparisonBody.View.allCases)],
            content: .json(ComparisonBody.schema), errors: [.notFound]
        ) { request in
            let subject = VersionComparison.Subject.versions(
                from: try request.versionNumber(), to: try request.versionNumber("to"),
                site: request.parameter("site"))
            return .json(
                try await ComparisonBody.json(
                    try ComparisonBody.View(request, among: ComparisonBody.View.allCases), of: subject, by: comparison,
                    pageChecks, for: try request.principal))
        }
    }
}
