/// Refuses to take back many leases at once: more often than not the fault is on this side, and the work goes on.
package struct ExpiryBrake: Sendable {
    /// The name in the API and in the database.
    package static let name = "lease-expiry"
    /// This many may always expire.
    package static let harmlessCount = 3
    /// Above that, no more than this share of all leases within ``window``.
    package static let largestShareInPercent = 30
    package static let window = Duration.seconds(60)
    /// For how long a release by an operator holds.
    package static let releaseLifetime = Duration.seconds(300)

    private var expired: [ContinuousClock.Instant] = []

    package init() {}

    /// Whether `overdue` of `live` leases (the overdue ones among them) are too many to expire now.
    package mutating func refuses(overdue: Int, live: Int, at now: ContinuousClock.Instant) -> Bool {
        expired.removeAll { now - $0 >= Self.window }
        let lost = overdue + expired.count
        return overdue > 0 && lost > Self.harmlessCount
            && lost * 100 > (live + expired.count) * Self.largestShareInPercent
    }

    /// A lease was taken back because it expired.
    package mutating func noteExpiry(at now: ContinuousClock.Instant) { expired.append(now) }
}
