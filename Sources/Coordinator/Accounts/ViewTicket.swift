package import Domain

/// Lets its bearer look at the files of one version for an hour, for a frame that has no cookies.
package struct ViewTicket: Sendable, Equatable {
    package static let lifetime = Duration.seconds(3600)

    package let principal: Principal
    package let site: SiteID
    package let version: VersionNumber

    package init(principal: Principal, site: SiteID, version: VersionNumber) {
        self.principal = principal
        self.site = site
        self.version = version
    }
}
