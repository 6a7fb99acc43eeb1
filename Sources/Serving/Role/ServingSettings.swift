/// What an operator may tune.
package struct ServingSettings: Sendable {
    /// How many sites are brought up to date side by side.
    package var concurrentSites: Int
    /// How long what nothing refers to stays, in case a visitor's request still does.
    package var grace: Duration
    /// The same for blobs, which a worker on this machine may also use.
    package var blobGrace: Duration
    package var upkeepInterval: Duration
    /// How often one site, the next in turn, is read again from disk and mended.
    package var driftInterval: Duration
    /// The wait after a first failure; it doubles from there.
    package var firstRetry: Duration
    package var longestRetry: Duration

    package init(
        concurrentSites: Int = 4, grace: Duration = .seconds(60), blobGrace: Duration = .seconds(3600),
        upkeepInterval: Duration = .seconds(15), driftInterval: Duration = .seconds(300),
        firstRetry: Duration = .seconds(1), longestRetry: Duration = .seconds(60)
    ) {
        precondition(concurrentSites > 0, "somebody has to do the work")
        self.concurrentSites = concurrentSites
        self.grace = grace
        self.blobGrace = blobGrace
        self.upkeepInterval = upkeepInterval
        self.driftInterval = driftInterval
        self.firstRetry = firstRetry
        self.longestRetry = longestRetry
    }
}
