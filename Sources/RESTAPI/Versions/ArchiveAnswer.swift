import Coordinator
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// A version as a `.tar.gz` that is made while it is sent.
struct ArchiveAnswer {
    let versions: VersionService
    let site: Site
    let number: Int
    let principal: Principal

    var response: Response {
        var headers: HTTPFields = [.contentType: "application/gzip", .cacheControl: "no-store"]
        if let name = HTTPField.Name("Content-Disposition") {
            headers[name] = "attachment; filename=\"\(site.slug)-v\(number).tar.gz\""
        }
        return Response(
            status: .ok, headers: headers,
            body: .pieces { [versions, site, number, principal] send in
                try await versions.writeArchive(number, of: site.id.text, for: principal, to: send)
            })
    }
}
