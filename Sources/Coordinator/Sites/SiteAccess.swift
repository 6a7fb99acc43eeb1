import Database
import Domain
import Persistence

/// Finds sites for those who own them. What is not yours is not found.
struct SiteAccess: Sendable {
    let stores: Stores

    /// `reference` is an identifier or a slug.
    func find(_ reference: String, for principal: Principal, in transaction: any SQLTransaction) async throws -> Site {
        let site: Site? =
            if let id = SiteID(reference) {
                try await stores.sites.find(id, in: transaction)
            } else {
                try await stores.sites.find(slug: reference, in: transaction)
            }
        guard let site, site.owner == principal.user || principal.isAdmin else {
            throw ServiceError(
                .notFound, "there is no site \"\(reference.prefix(64))\"", field: "site",
                nextStep: "List your sites to see their names.")
        }
        return site
    }

    /// A version that exists, in the words of a user.
    func version(
        _ number: Int, of site: Site, in transaction: any SQLTransaction
    ) async throws -> Version {
        guard let version = try await stores.versions.find(try VersionNumber(number), of: site.id, in: transaction)
        else {
            throw ServiceError(
                .notFound, "\(site.slug) has no version \(number)", field: "version",
                nextStep: "List the versions of the site to see their numbers.")
        }
        return version
    }
}
