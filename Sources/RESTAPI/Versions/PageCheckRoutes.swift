import Coordinator
import Domain
import HTTPTypes

struct PageCheckRoutes {
    let pageChecks: PageCheckService
    let looks: PageLookService
    let acceptance: VersionAcceptance

    private static let feature = "Versions"
    private static let path = "/api/v1/sites/{site}/versions/{version}"

    var routes: [APIRoute] { [checks, look, screenshot, accept] }

    private var checks: APIRoute {
        APIRoute(
            .get, Self.path + "/checks", "What a browser saw of a version: checks, findings and screenshots",
            feature: Self.feature, content: .json(PageChecksBody.table.schema), errors: [.notFound]
        ) { request in
            let view = try await pageChecks.find(
                try request.versionNumber(), of: request.parameter("site"), for: try request.principal)
            return .json(PageChecksBody.table.json(view))
        }
    }

    private var look: APIRoute {
        APIRoute(
            .post, Self.path + "/checks",
            "Have a worker's browser look at pages of a version, such as an upload; what it sees comes after the job",
            feature: Self.feature,
            input: .json(
                .object([
                    JSONSchema.optional(
                        "pages", .array(.text), "At most 12; those without a picture when it is left out.")
                ])), status: .accepted, content: .json(JobBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition, .quotaExceeded]
        ) { request in
            try await request.once(JobBody.table.json) {
                try await looks.look(
                    at: try request.versionNumber(), of: request.parameter("site"),
                    pages: request.body.strings("pages"), for: try request.principal, once: $0)
            }
        }
    }

    private var accept: APIRoute {
        APIRoute(
            .post, Self.path + "/accept",
            "Accept what a browser found worse than in the version before, so that this one may go live",
            feature: Self.feature,
            input: .json(
                .object([
                    .init(
                        "findings",
                        .array(
                            .object([.init("rule", .text), .init("path", .text, "The file; * for every file.")])))
                ])), content: .json(VersionBody.table.schema), errors: [.notFound]
        ) { request in
            let references = try request.body.objects("findings").map { finding in
                try FindingReference("\(finding.string("rule")):\(finding.string("path"))")
            }
            return try await request.once(VersionBody.table.json) {
                try await acceptance.accept(
                    references, of: try request.versionNumber(), on: request.parameter("site"),
                    for: try request.principal, once: $0)
            }
        }
    }

    private var screenshot: APIRoute {
        APIRoute(
            .get, Self.path + "/screenshots/{sha256}", "A screenshot; the same address always has the same bytes",
            feature: Self.feature, content: .other("image/*"),
            otherStatuses: [(.notModified, "The caller has it already (If-None-Match).")], errors: [.notFound]
        ) { request in
            let (picture, store) = try await pageChecks.picture(
                request.parameter("sha256"), version: try request.versionNumber(), of: request.parameter("site"),
                for: try request.principal)
            return .response(PictureAnswer(picture: picture, store: store).response(to: request.request))
        }
    }
}
