/// A machine of the fleet, as the coordinator knows it.
package struct Host: Sendable, Identifiable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case active
        /// Gets no new work and keeps what it has.
        case draining
        /// Its certificate is worth nothing any more.
        case revoked
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
    package mutating func openSession(agentVersion: String, at now: Timestamp) {
        sessionEpoch += 1
        lastSeenAt = now
        self.agentVersion = String(agentVersion.prefix(40))
    }

    /// Whether what was said in the session of that epoch may have an effect: it is the newest one of a member.
    package func admits(frameOf epoch: Int64) -> Bool { state != .revoked && epoch == sessionEpoch }

    /// Refuses a certificate that is neither the current nor the pending one, and revoked hosts.
    ///
    /// Seeing the pending one makes it current: the agent has saved it. Returns whether that happened.
    package mutating func admit(serial: String) throws(ServiceError) -> Bool {
        guard state != .revoked else {
            throw ServiceError(
                .unauthenticated, "the host \(name) was revoked", rule: "host-revoked",
                nextStep: "Invite it again with: pagewright host invite.")
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
