package import Domain

/// A site as its owner sees it: with its addresses and with what hosts said that they serve.
package struct SiteView: Sendable {
    package let site: Site
    package let domains: [DomainName]
    package let url: String
    package let previewURL: String
    package let serving: [ServingView]
    /// When the version in the preview was made.
    package let changedAt: Timestamp?
}

/// One host that serves a site.
package struct ServingView: Sendable {
    package let host: HostID
    package let hostName: String
    /// The generation that is desired now.
    package let generation: Int64
    /// The highest generation that the host has served; 0 when it never served the site.
    package let appliedGeneration: Int64
    package let state: Placement.State
    /// Why the host refused; visitors still see what it served before.
    package let error: String?
    package let fetchedFiles: Int
    package let fetchedBytes: Int64
    package let updatedAt: Timestamp
}
