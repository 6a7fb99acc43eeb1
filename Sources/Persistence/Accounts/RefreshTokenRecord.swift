package import Domain

/// One refresh token, known by the SHA-256 of its text.
package struct RefreshTokenRecord: Sendable, Equatable {
    package let hash: ContentDigest
    package let session: SessionID
    package let expiresAt: Timestamp
    /// When it was traded for the next one; it is worth nothing since.
    package let usedAt: Timestamp?

    package init(hash: ContentDigest, session: SessionID, expiresAt: Timestamp, usedAt: Timestamp? = nil) {
        self.hash = hash
        self.session = session
        self.expiresAt = expiresAt
        self.usedAt = usedAt
    }
}
