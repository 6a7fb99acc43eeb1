/// What became of the files that an edit made: how far it went, and the files themselves when they were refused.
package struct ChangeReview: Sendable, Equatable {
    package let job: JobID
    package let site: SiteID
    /// Of the manifest. Its files stay for a day at least when no version was made of them.
    package let digest: ContentDigest
    package let scope: ChangeScope
    /// What the engine said that it did.
    package let summary: String
    /// The version that was made of it; `nil` while it is refused.
    package var version: VersionNumber?
    package let createdAt: Timestamp

    package init(
        job: JobID, site: SiteID, digest: ContentDigest, scope: ChangeScope, summary: String,
        version: VersionNumber?, createdAt: Timestamp
    ) {
        self.job = job
        self.site = site
        self.digest = digest
        self.scope = scope
        self.summary = summary
        self.version = version
        self.createdAt = createdAt
    }
}
