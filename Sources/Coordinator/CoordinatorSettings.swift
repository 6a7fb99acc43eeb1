package import Domain
import FleetIdentity

/// What an operator decides about an installation.
package struct CoordinatorSettings: Sendable {
    /// Sites answer at `<slug>.<sitesDomain>`.
    package var sitesDomain: String
    /// The port in the addresses of sites; 80 is not written.
    package var sitesPort: Int
    /// Where agents connect, as in `host invite`'s command: `host:port`.
    package var agentsAddress: String
    /// The version of this program.
    package var version: String
    package var heartbeatInterval: Duration
    package var leaseDuration: Duration
    /// How long past its end a lease is left alone, so that the worker's own deadline comes first.
    package var leaseGrace: Duration
    /// How much longer leases last after a start, because renewals could not be received before.
    package var leaseGraceAfterStart: Duration
    /// How long a worker may take to say yes to an offer.
    package var offerTimeout: Duration
    /// How long a host may take to confirm that a cancelled job is gone.
    package var cancelTimeout: Duration
    package var invitationLifetime: Duration
    /// How many edits of one site may wait in line.
    package var queuedEditsPerSite: Int
    package var defaultEngine: String
    /// How many sites at most are told to a host in one message.
    package var sitesPerMessage: Int
    /// Where sites are that have no policy of their own.
    package var placement = PlacementPolicy.everywhere
    /// Whether a host on which somebody rolled a site back goes back to what was asked for when it connects; otherwise it
    /// keeps that until the next release.
    package var undoesLocalRollbacks = true
    /// How long hosts may take to prepare a version that shall be live on all of them or on none.
    package var prepareTimeout = Duration.seconds(60)
    /// How long an agent's certificate is good.
    package var certificateLifetime = CertificateAuthority.agentLifetime

    package init(
        sitesDomain: String = "localhost", sitesPort: Int = 8080, agentsAddress: String = "127.0.0.1:8443",
        version: String = "0.1.0", heartbeatInterval: Duration = .seconds(10), leaseDuration: Duration = .seconds(60),
        leaseGrace: Duration = .seconds(15), leaseGraceAfterStart: Duration = .seconds(300),
        offerTimeout: Duration = .seconds(10), cancelTimeout: Duration = .seconds(10),
        invitationLifetime: Duration = .seconds(600), queuedEditsPerSite: Int = 20, defaultEngine: String = "builtin",
        sitesPerMessage: Int = 1000
    ) {
        self.sitesDomain = sitesDomain
        self.sitesPort = sitesPort
        self.agentsAddress = agentsAddress
        self.version = version
        self.heartbeatInterval = heartbeatInterval
        self.leaseDuration = leaseDuration
        self.leaseGrace = leaseGrace
        self.leaseGraceAfterStart = leaseGraceAfterStart
        self.offerTimeout = offerTimeout
        self.cancelTimeout = cancelTimeout
        self.invitationLifetime = invitationLifetime
        self.queuedEditsPerSite = queuedEditsPerSite
        self.defaultEngine = defaultEngine
        self.sitesPerMessage = sitesPerMessage
    }

    /// The web address of a host name.
    package func url(of name: String) -> String {
        sitesPort == 80 ? "http://\(name)/" : "http://\(name):\(sitesPort)/"
    }
}
