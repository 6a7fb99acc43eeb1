import Domain

/// Which host names belong to a site.
struct SiteNames: Sendable {
    let settings: CoordinatorSettings

    func live(of site: Site) -> String { "\(site.slug).\(settings.sitesDomain)" }

    /// Slugs have no `--`, so no site can take the preview name of another.
    func preview(of site: Site) -> String { "\(site.slug)--preview.\(settings.sitesDomain)" }

    /// Names that end in the installation's own domain belong to slugs.
    func requireForeign(_ name: DomainName) throws(ServiceError) {
        guard name.text != settings.sitesDomain, !name.text.hasSuffix("." + settings.sitesDomain) else {
            throw ServiceError(
                .invalidArgument, "\(name) belongs to this installation", field: "domain", rule: "domain-reserved",
                nextStep: "Add a domain of your own.")
        }
    }
}
