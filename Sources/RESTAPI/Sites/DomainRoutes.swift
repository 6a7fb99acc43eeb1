import Coordinator
import Domain
import HTTPTypes

struct DomainRoutes {
    let sites: SiteService

    private static let feature = "Sites"
    private static let path = "/api/v1/sites/{site}/domains"

    /// A domain of a site, with the address that shows it.
    private struct Address {
        let domain: DomainName
        let site: SiteView

        /// The site's own address with another name in it, so that scheme and port are the same.
        var url: String {
            let parts = site.url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return "http://\(domain)/" }
            let port = parts[2].split(separator: "/").first.flatMap { $0.split(separator: ":").dropFirst().first }
            return "\(parts[0])//\(domain)" + (port.map { ":\($0)" } ?? "") + "/"
        }
    }

    private static let table = ObjectBody<Address>(
        "Domain",
        [
            .init("domain", .text) { .string($0.domain.text) },
            .init("url", .text) { .string($0.url) },
        ])

    var routes: [APIRoute] { [list, add, remove] }

    private var list: APIRoute {
        APIRoute(
            .get, Self.path, "The domains that show a site", feature: Self.feature,
            content: .json(Self.table.listSchema), errors: [.notFound]
        ) { request in
            let site = try await sites.find(request.parameter("site"), for: try request.principal)
            return .json(Self.table.json(site.domains.map { Address(domain: $0, site: site) }))
        }
    }

    private var add: APIRoute {
        APIRoute(
            .post, Self.path, "Let a domain show the live site", feature: Self.feature,
            input: .json(.object([.init("domain", .text)])), status: .created, content: .json(Self.table.schema),
            errors: [.notFound, .alreadyExists]
        ) { request in
            let name = request.body.string("domain")
            return try await request.once({ Self.table.json(Address(domain: try DomainName(name), site: $0)) }) {
                try await sites.addDomain(
                    name, to: request.parameter("site"), for: try request.principal, once: $0)
            }
        }
    }

    private var remove: APIRoute {
        APIRoute(
            .delete, Self.path + "/{domain}", "Take a domain away from a site", feature: Self.feature,
            status: .noContent, content: .none, errors: [.notFound]
        ) { request in
            try await request.once {
                try await sites.removeDomain(
                    request.parameter("domain"), from: request.parameter("site"), for: try request.principal,
                    once: $0)
            }
        }
    }
}
