import Domain

/// Where everything is on a serving host. nginx reads the same folders: see `NginxConfiguration`.
///
/// ```
/// trees/<digest>/…                          the files of a version: hard links to blobs
/// sites/<site>/g00000042-<12 hex>/          one generation; never changes once it has this name
///     live, preview, previous               -> ../../../trees/<digest>
///     live-<12 hex>/, preview-<12 hex>/     what a name leads to: role and version, as a name
///     names/<fqdn>                          -> ../live-<12 hex> or ../preview-<12 hex>
///     live-spa-<12 hex>/, …                 the same for a site in app mode
///     missing-live.html, missing-preview.html, maintenance.html, desired.json
/// sites/<site>/current                      -> g00000042-<12 hex>; replacing it is the only switch
/// domains/<fqdn>                            -> ../sites/<site>/current/names/<fqdn>
/// ```
///
/// A name that begins with a dot is unfinished or on its way out, and is deleted at the next start.
package struct ServingLayout: Sendable, Equatable {
    package let root: String

    package init(root: String) { self.root = root }

    package var trees: String { root + "/trees" }
    package var sites: String { root + "/sites" }
    package var domains: String { root + "/domains" }
    package var nginx: String { root + "/nginx" }
    /// An operator makes this file to let many sites go at once; it is good for one time.
    package var massRemovalPermit: String { root + "/allow-mass-removal" }

    func tree(_ digest: ContentDigest) -> String { "\(trees)/\(digest)" }
    func folder(of site: SiteID) -> String { "\(sites)/\(site)" }
    func current(of site: SiteID) -> String { "\(sites)/\(site)/current" }
    func link(of name: DomainName) -> String { "\(domains)/\(name)" }

    /// What the link of `name` says when `site` has it.
    func target(of name: DomainName, for site: SiteID) -> String { "../sites/\(site)/current/names/\(name)" }

    /// The site that a link in `domains` leads to; `nil` when it is none of ours.
    func site(inTarget target: String) -> SiteID? {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "..", parts[1] == "sites", parts[3] == "current" else { return nil }
        return SiteID(String(parts[2]))
    }
}
