/// How far the look at a version's pages is.
package struct VersionChecks: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// A worker looks, and has until then to say what it saw.
        case waiting(until: Timestamp)
        case done(at: Timestamp)
    }

    /// A picture, and the version that it was taken of: an older one when the page did not change since.
    package struct Picture: Sendable, Equatable {
        package let picture: PagePicture
        package let takenOf: VersionNumber

        package init(_ picture: PagePicture, takenOf: VersionNumber) {
            self.picture = picture
            self.takenOf = takenOf
        }
    }

    package let site: SiteID
    package let version: VersionNumber
    /// What made the version, and the worker that may report on it.
    package let lease: JobLease
    package let host: HostID
    package let state: State
    package let checks: [PageChecks.Check]
    package let pictures: [Picture]

    package init(
        site: SiteID, version: VersionNumber, lease: JobLease, host: HostID, state: State,
        checks: [PageChecks.Check] = [], pictures: [Picture] = []
    ) {
        self.site = site
        self.version = version
        self.lease = lease
        self.host = host
        self.state = state
        self.checks = checks
        self.pictures = pictures
    }

    /// As it counts at `now`: a worker that did not report in time never will.
    package func settled(at now: Timestamp) -> VersionChecks {
        guard case .waiting(let until) = state, until <= now else { return self }
        return VersionChecks(
            site: site, version: version, lease: lease, host: host, state: .done(at: until),
            checks: PageChecks.impossible(because: "the worker did not report in time").checks)
    }

    /// Until when `version` waits for this look before it goes live; `nil` when it does not. What is waited for is the
    /// look that belongs to the edit that made the version: one that somebody asked for later finds nothing worse.
    package func awaited(by version: Version, at now: Timestamp) -> Timestamp? {
        guard case .edit(_, let job, _) = version.origin, job == lease.job, version.number == self.version,
            case .waiting(let until) = settled(at: now).state
        else { return nil }
        return until
    }

    /// Whether `host` may report under `lease` at `now`.
    package func admits(_ lease: JobLease, of host: HostID, at now: Timestamp) -> Bool {
        guard case .waiting(let until) = state else { return false }
        return lease == self.lease && host == self.host && now < until
    }
}
