/// What happened: every kind of effect has one word, in the past tense. Words never change their meaning.
package enum AuditAction: String, Sendable, CaseIterable {
    case accountRegistered = "account.registered"
    case sessionBegan = "session.began"
    case sessionEnded = "session.ended"
    /// A refresh token came twice: the session was ended because one of its two holders is a thief.
    case sessionRevoked = "session.revoked"
    /// Name or e-mail address.
    case accountChanged = "account.changed"
    case passwordChanged = "password.changed"
    case tokenCreated = "token.created"
    case tokenRevoked = "token.revoked"
    case accountDisabled = "account.disabled"
    case accountEnabled = "account.enabled"
    case roleChanged = "role.changed"

    case siteCreated = "site.created"
    case siteRenamed = "site.renamed"
    case siteDeleted = "site.deleted"
    case domainAdded = "domain.added"
    case domainRemoved = "domain.removed"
    case maintenanceSet = "maintenance.set"
    case maintenanceCleared = "maintenance.cleared"
    /// Page or app mode, or the page for missing addresses.
    case addressesSet = "addresses.set"

    case conversationStarted = "conversation.started"
    /// Somebody said which files no edit may touch.
    case locksSet = "locks.set"
    case editAccepted = "edit.accepted"
    /// The owner accepted findings of a refused change, and a version was made of it.
    case findingsAccepted = "findings.accepted"
    case siteEngineChosen = "site.engine-chosen"
    /// An admin changed how an engine asks its model; whether the key changed is among the details, the key never.
    case engineConfigured = "engine.configured"
    case budgetSet = "budget.set"
    case replayAccepted = "replay.accepted"
    case lookAccepted = "look.accepted"
    case generationAccepted = "generation.accepted"
    case generationPlanChanged = "generation.plan-changed"
    case generationResumed = "generation.resumed"
    /// Somebody asked to stop a job that a host works on; its end has a row of its own.
    case jobCancelRequested = "job.cancel-requested"
    case jobCancelled = "job.cancelled"
    /// A completion was accepted: the version was recorded and the preview shows it.
    case jobSucceeded = "job.succeeded"
    /// A plan was made; nothing changed.
    case jobAnswered = "job.answered"
    case jobFailed = "job.failed"
    case jobDied = "job.died"
    /// An admin took a job from its host.
    case jobUnlocked = "job.unlocked"

    case versionUploaded = "version.uploaded"
    /// What a worker's browser saw of a version was added to it.
    case versionChecked = "version.checked"
    /// Somebody wrote a text of a page by hand.
    case versionWritten = "version.written"
    /// A name or a pin was put on a version, or taken off.
    case versionLabelled = "version.labelled"
    case previewMoved = "preview.moved"
    case releaseCreated = "release.created"

    case hostInvited = "host.invited"
    case hostEnrolled = "host.enrolled"
    case hostDrained = "host.drained"
    case hostResumed = "host.resumed"
    case hostRevoked = "host.revoked"
    case certificateIssued = "certificate.issued"
    /// Two machines used one certificate.
    case hostQuarantined = "host.quarantined"
    case hostLabelled = "host.labelled"
    /// Somebody on a host made another version live there.
    case siteRolledBackLocally = "site.rolled-back-locally"
    case placementChanged = "placement.changed"
    case rolloutPlanned = "rollout.planned"
    case rolloutCancelled = "rollout.cancelled"
    case rolloutFinished = "rollout.finished"
    case backupRestored = "backup.restored"

    case brakeEngaged = "brake.engaged"
    case brakeReleased = "brake.released"
    /// What it held back came back by itself, or was let go.
    case brakeCleared = "brake.cleared"
    case incarnationRaised = "incarnation.raised"
    case recoveryEntered = "recovery.entered"
    case recoveryAccepted = "recovery.accepted"
}
