/// A machine of the fleet, as the coordinator knows it.
package struct Host: Sendable, Identifiable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case active
        /// Gets no new work and keeps what it has.
        case draining
        /// Its certificate is worth nothing any more.
        case revoked
        /// Two machines used its certificate: neither may do anything until an operator decides.
        case quarantined

        /// Whether it may not even speak.
        package var isShutOut: Bool { self == .revoked || self == .quarantined }
    }

    package let id: HostID
    package var name: String
    package let roles: Set<HostRole>
    package var state: State
    package var agentVersion: String
    /// Raised by every session; frames of a lower one have no effect.
    package var sessionEpoch: Int64
    /// Lower-case hexadecimal serial numbers of the certificate in use and of the one handed out last.
    package var certificateSerial: String
    package var pendingSerial: String?
    package var certificateExpiresAt: Timestamp
    package var lastSeenAt: Timestamp?
    package let createdAt: Timestamp
    /// What an operator says of it.
    package var labels = HostLabels.none
    /// Which programs used its credential of late.
    package var credentialUse = CredentialUse()
    /// The version that it is to run, until it does.
    package var upgradeOrder: UpgradeOrder?
    /// The pin of the authority that signed the certificate handed out last; empty when that is not known.
    package var certificateIssuer = ""

    package init(
        id: HostID, name: String, roles: Set<HostRole>, state: State = .active, agentVersion: String = "",
        sessionEpoch: Int64 = 0, certificateSerial: String, pendingSerial: String? = nil,
        certificateExpiresAt: Timestamp, lastSeenAt: Timestamp? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.roles = roles
        self.state = state
        self.agentVersion = agentVersion
        self.sessionEpoch = sessionEpoch
        self.certificateSerial = certificateSerial
        self.pendingSerial = pendingSerial
        self.certificateExpiresAt = certificateExpiresAt
        self.lastSeenAt = lastSeenAt
        self.createdAt = createdAt
    }

    /// Begins a session; every session before it is over from this instant.
    ///
    /// Returns whether that shows that two machines have its credential; it is quarantined then.
    @discardableResult
    package mutating func openSession(agentVersion: String, instance: String = "", at now: Timestamp) -> Bool {
        sessionEpoch += 1
        lastSeenAt = now
        self.agentVersion = String(agentVersion.prefix(40))
        guard credentialUse.opened(by: instance, at: now) else { return false }
        state = .quarantined
        return true
    }

    /// Whether what was said in the session of that epoch may have an effect: it is the newest one of a member.
    package func admits(frameOf epoch: Int64) -> Bool { !state.isShutOut && epoch == sessionEpoch }

    /// Refuses a certificate that is neither the current nor the pending one, and revoked hosts.
    ///
    /// Seeing the pending one makes it current: the agent has saved it. Returns whether that happened.
    package mutating func admit(serial: String) throws(ServiceError) -> Bool {
        guard state != .revoked else {
            throw ServiceError(
                .unauthenticated, "the host \(name) was revoked", rule: "host-revoked",
                nextStep: "Invite it again with: pagewright host invite.")
        }
        guard state != .quarantined else {
            throw ServiceError(
                .unauthenticated, "two machines use the certificate of \(name); neither may go on",
                rule: "host-quarantined",
                nextStep: "Find out which is the right one, then: pagewright host revoke, and invite it again. "
                    + "If both were one machine: pagewright host resume.")
        }
        if serial == certificateSerial { return false }
        guard serial == pendingSerial else {
            throw ServiceError(
                .unauthenticated, "the certificate of \(name) was replaced by a newer one", rule: "certificate-serial",
                nextStep: "Restart the agent; if that does not help, invite the host again.")
        }
        certificateSerial = serial
        pendingSerial = nil
        return true
    }
}
