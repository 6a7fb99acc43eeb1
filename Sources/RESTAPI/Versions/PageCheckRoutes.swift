import Coordinator
import Domain
import HTTPTypes

struct PageCheckRoutes {
    let pageChecks: PageCheckService

    private static let feature = "Versions"
    private static let path = "/api/v1/sites/{site}/versions/{version}"

    var routes: [APIRoute] { [checks, screenshot] }

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
