package import Domain

/// One log-in of one user.
package struct LoginSessionRecord: Sendable, Equatable {
    package let id: SessionID
    package let user: UserID
    package let createdAt: Timestamp
    /// When its newest refresh token ends.
    package let expiresAt: Timestamp
    /// When somebody logged out, or a used token came again.
    package let endedAt: Timestamp?
    /// Where it began; empty when that was not noted.
    package let address: String
    /// What the program that logged in calls itself.
    package let agent: String

    package init(
        id: SessionID, user: UserID, createdAt: Timestamp, expiresAt: Timestamp, endedAt: Timestamp? = nil,
        address: String = "", agent: String = ""
    ) {
        self.id = id
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.endedAt = endedAt
        self.address = address
        self.agent = agent
    }
}
