/// A request in words against a base version of a site; it becomes a job.
package struct Edit: Sendable, Identifiable, Equatable {
    package let id: EditID
    package let site: SiteID
    package let author: UserID
    package let prompt: Prompt
    package let engine: EngineName
    /// The version that the edit starts from. Unless the user chose it, it is what the preview shows when the work
    /// begins, so that queued edits build on each other.
    package var base: VersionNumber
    package let isBaseChosen: Bool
    package let job: JobID
    /// The job whose transcript this one replays; then it asks no model and makes no version.
    package let replayOf: JobID?
    /// Whether a kept answer of a model may not be used for it.
    package let isFresh: Bool
    package let createdAt: Timestamp

    package init(
        id: EditID, site: SiteID, author: UserID, prompt: Prompt, engine: EngineName, base: VersionNumber,
        isBaseChosen: Bool = false, job: JobID, replayOf: JobID? = nil, isFresh: Bool = false, createdAt: Timestamp
    ) {
        self.id = id
        self.site = site
        self.author = author
        self.prompt = prompt
        self.engine = engine
        self.base = base
        self.isBaseChosen = isBaseChosen
        self.job = job
        self.replayOf = replayOf
        self.isFresh = isFresh
        self.createdAt = createdAt
    }
}
