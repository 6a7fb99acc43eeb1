package import Domain

/// Who asks, and until when that was proved.
package struct AuthenticatedCaller: Sendable, Equatable {
    package let principal: Principal
    /// When the access token ends; for a personal one, when it has to be looked at again.
    package let expiresAt: Timestamp
    /// The log-in that the caller belongs to; `nil` for a personal access token.
    package let session: SessionID?
    /// What a personal access token is for; `nil` for somebody who logged in, who may do everything.
    package let scopes: Set<AccessScope>?

    package init(
        principal: Principal, expiresAt: Timestamp, session: SessionID? = nil, scopes: Set<AccessScope>? = nil
    ) {
        self.principal = principal
        self.expiresAt = expiresAt
        self.session = session
        self.scopes = scopes
    }

    /// Refuses what the token is not for. Every token may look.
    package func requireScope(toChange: Bool, asAdmin: Bool) throws(ServiceError) {
        guard let scopes else { return }
        let needed: AccessScope = asAdmin ? .admin : toChange ? .write : .read
        guard needed == .read || scopes.contains(needed) else {
            throw ServiceError(
                .permissionDenied, "this access token has not the scope \(needed.rawValue)", rule: "token-scope",
                nextStep: "Make a token with the scope \(needed.rawValue), or log in.")
        }
    }
}
