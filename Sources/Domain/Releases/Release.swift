/// The event of pointing `live` at a version; numbered per site.
package struct Release: Sendable, Equatable {
    package let site: SiteID
    package let number: Int
    package let version: VersionNumber
    /// What was live before.
    package let replaced: VersionNumber?
    package let releasedBy: UserID
    package let releasedAt: Timestamp

    package init(
        site: SiteID, number: Int, version: VersionNumber, replaced: VersionNumber?, releasedBy: UserID,
        releasedAt: Timestamp
    ) {
        self.site = site
        self.number = number
        self.version = version
        self.replaced = replaced
        self.releasedBy = releasedBy
        self.releasedAt = releasedAt
    }
}
