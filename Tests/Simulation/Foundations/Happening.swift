/// What a run can come across. Counted, so that a sweep can prove that it went everywhere.
package enum Happening: Int, CaseIterable, Sendable {
    case completionApplied, completionDuplicate, completionStale, leaseLost, offerHandedBack, jobDied, jobCancelled
    case sessionOpened, sessionSuperseded, frameRefused, coordinatorDied, databaseRestored, generationRaised
    case stateRefused, switchUndone, tombstoneServed, powerLost, taskOutlivedLease, siteForgotten
}
