/// One log-in of a user, as they see it among their sessions.
package struct LoginSession: Sendable, Identifiable, Equatable {
    package let id: SessionID
    package let user: UserID
    package let createdAt: Timestamp
    /// When it was renewed last.
    package let usedAt: Timestamp
    package let expiresAt: Timestamp
    /// Where the log-in came from; empty for one that was begun before that was noted.
    package let address: String
    /// What the browser or program calls itself; as it says, so never to be trusted.
    package let agent: String

    package init(
        id: SessionID, user: UserID, createdAt: Timestamp, usedAt: Timestamp, expiresAt: Timestamp, address: String,
        agent: String
    ) {
        self.id = id
        self.user = user
        self.createdAt = createdAt
        self.usedAt = usedAt
        self.expiresAt = expiresAt
        self.address = address
        self.agent = agent
    }
}
