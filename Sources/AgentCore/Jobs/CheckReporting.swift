package import Domain

/// Where a worker says what its browser saw.
package protocol CheckReporting: Sendable {
    /// Says it of the version that `lease` made. Returns when the coordinator has taken it, now or before.
    func report(_ checks: PageChecks, of lease: JobLease) async throws
}
