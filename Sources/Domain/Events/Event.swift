/// Something that happened and that a user may want to see at once.
package struct Event: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case siteCreated = "site.created"
        case siteUpdated = "site.updated"
        case siteDeleted = "site.deleted"
        /// A step of a generation was done, its plan was changed, or it goes on.
        case generationUpdated = "generation.updated"
        case jobQueued = "job.queued"
        case jobStarted = "job.started"
        case jobProgress = "job.progress"
        case jobFinished = "job.finished"
        case versionCreated = "version.created"
        /// A browser looked at the pages of a version, or could not.
        case versionChecked = "version.checked"
        case previewChanged = "preview.changed"
        case releaseCreated = "release.created"
        /// A host said what it serves for a site.
        case siteServed = "site.served"
        case hostChanged = "host.changed"
        /// A roll-out of a new version of the agent went on.
        case rolloutChanged = "rollout.changed"
        /// A backup or a drill ended.
        case backupFinished = "backup.finished"
    }

    /// Grows with every event, in the order of the commits.
    package let id: Int64
    package let kind: Kind
    /// Who may see it; `nil` for admins only.
    package let owner: UserID?
    package let site: SiteID?
    /// A JSON object with snake_case names.
    package let body: String
    package let at: Timestamp

    package init(id: Int64, kind: Kind, owner: UserID?, site: SiteID?, body: String, at: Timestamp) {
        self.id = id
        self.kind = kind
        self.owner = owner
        self.site = site
        self.body = body
        self.at = at
    }
}
