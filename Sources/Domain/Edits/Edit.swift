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
    /// `nil` for edits from before there were conversations.
    package let conversation: ConversationID?
    package let mode: EditMode
    /// The answered plan that this edit carries out.
    package let plan: EditID?
    /// Of an answered plan: the files that it would touch. Of a look: the pages that it is to show.
    package var plannedFiles: [String]
    /// `nil` when it is the only try.
    package let variant: EditVariant?

    package init(
        id: EditID, site: SiteID, author: UserID, prompt: Prompt, engine: EngineName, base: VersionNumber,
        isBaseChosen: Bool = false, job: JobID, replayOf: JobID? = nil, isFresh: Bool = false, createdAt: Timestamp,
        conversation: ConversationID? = nil, mode: EditMode = .change, plan: EditID? = nil,
        plannedFiles: [String] = [], variant: EditVariant? = nil
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
        self.conversation = conversation
        self.mode = mode
        self.plan = plan
        self.plannedFiles = plannedFiles
        self.variant = variant
    }

    /// Whether its version becomes the preview. Of several tries somebody picks one.
    package var showsPreview: Bool { variant == nil }

    /// Whether nothing is to be edited: a browser is to look at pages of the base version.
    package var isLook: Bool { engine == .browser }
}
