/// A real bug that a run can have on purpose, to see that it is caught. Never in code that ships: each is a deviation of
/// the simulated transaction or host around the rules of `Domain`.
package enum Mutation: String, Sendable, CaseIterable {
    /// A completion is taken when the job is leased, whoever holds it.
    case stateOnlyCompletion
    /// A completion is compared by attempt, not by token and fence.
    case noFenceCheck
    /// A completion that comes twice is taken twice.
    case duplicateApplies
    /// A grant is made under the fence of the one before.
    case fenceStays
    /// A job's row is taken out when it is handed to a worker, and put back with its end.
    case rowDeletedAtPoll
    /// A host takes whatever state it is sent.
    case noGenerationCheck
    /// A host keeps its generation in a file beside what it serves.
    case generationInSeparateFile
    /// A restored database goes on counting fences and generations where its backup was.
    case restoreWithoutFloor
    /// A state is sent once, when it changes.
    case edgeTriggeredPush
    /// Nobody looks for expired leases.
    case noReaper
    /// Frames of a session that is over count.
    case noEpochCheck
    /// A tree gets its name before its files are on the disk.
    case unsyncedTree
    /// An agent counts a lease from when the renewal was answered.
    case leaseCountsFromAnswer
    /// An idempotency key is written after the job, in another transaction.
    case keyAfterwards
    /// Blobs are deleted when nothing refers to them, however young they are.
    case garbageWithoutGrace
    /// An offer that nobody took counts as a lost attempt.
    case handBackCounts
    /// A revoked host is only cut off, not refused.
    case revokedStillWrites
    /// A new job is ready at once, whatever runs for its site.
    case everyJobIsReady
    /// A job is granted because the queue says so.
    case hintGrants
    /// Cancelling ends a job whatever its state is.
    case cancelReopens
    /// A version is promoted before its blobs were looked for.
    case promotesUnseen
    /// A change of what is desired keeps its generation.
    case generationStays
    /// A lost fence race leaves the raised fence behind, so that the winner's lease is dead.
    case raceRaisesFence
    /// A tombstone is forgotten as soon as it is in force.
    case tombstoneForgotten
    /// A steward does not compare its term in the transaction.
    case noTermCheck
    /// The row of the audit log comes after its effect, in another transaction.
    case auditAfterwards
}
