package import Domain

/// Who asks, and until when that was proved.
package struct AuthenticatedCaller: Sendable, Equatable {
    package let principal: Principal
    /// When the access token ends.
    package let expiresAt: Timestamp

    package init(principal: Principal, expiresAt: Timestamp) {
        self.principal = principal
        self.expiresAt = expiresAt
    }
}
