/// What the coordinator says on an agent's session.
package enum CoordinatorMessage: Sendable, Equatable {
    package struct Welcome: Sendable, Equatable {
        package var sessionEpoch: Int64
        package var heartbeatInterval: Duration
        package var leaseDuration: Duration
        package var coordinatorVersion: String
        /// The raw Ed25519 public keys that may have signed a version.
        package var versionKeys: [[UInt8]]
        /// Frames of newer agents that this coordinator understands.
        package var features: Set<String> = []
        /// Certificates issued by these are the coordinator's fleet CA, DER.
        package init(
            sessionEpoch: Int64, heartbeatInterval: Duration, leaseDuration: Duration, coordinatorVersion: String,
            versionKeys: [[UInt8]]
        ) {
            self.sessionEpoch = sessionEpoch
            self.heartbeatInterval = heartbeatInterval
            self.leaseDuration = leaseDuration
            self.coordinatorVersion = coordinatorVersion
            self.versionKeys = versionKeys
        }
    }

    /// Always first.
    case welcome(Welcome)
    case offer(JobOffer)
    /// Kill what runs for this lease and confirm with a completion `cancelled`.
    case cancel(JobLease)
    /// This lease is over; kill what runs for it and say nothing.
    case leaseLost(JobLease)
    /// The leases of a heartbeat that were renewed, for `leaseDuration` from when the heartbeat was sent.
    case renewed([JobLease])
    case verdict(JobLease, CompletionVerdict)
    /// Values that the host is to converge to.
    case desired([DesiredSite], DesiredPart)
    /// The host is to run another version of the agent.
    case upgrade(UpgradeOrder)
    /// The host is to get a newer certificate now.
    case renewCertificate
    /// The coordinator is about to stop: come back after `delay`.
    case goAway(reason: String, delay: Duration)
}
