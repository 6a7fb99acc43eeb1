/// Who asks: a user whose access token was checked.
package struct Principal: Sendable, Equatable {
    package let user: UserID
    package let role: User.Role
    /// The request in which it is asked; empty when there is none. Noted beside the effects in the audit log.
    package let requestID: String
    /// The personal access token that asks in the user's name; `nil` when they are logged in themselves.
    package let token: PersonalTokenID?

    package init(user: UserID, role: User.Role, requestID: String = "", token: PersonalTokenID? = nil) {
        self.user = user
        self.role = role
        self.requestID = requestID
        self.token = token
    }

    /// The same caller, in this request.
    package func asking(in requestID: String) -> Principal {
        Principal(user: user, role: role, requestID: requestID, token: token)
    }

    package var isAdmin: Bool { role == .admin }

    /// Refuses programs that ask with a token: who has one must not be able to make it last, or to lock its owner out.
    package func requireSession() throws(ServiceError) {
        guard token == nil else {
            throw ServiceError(
                .permissionDenied, "this needs a log-in; an access token is not enough", rule: "session-needed",
                nextStep: "Log in with your password.")
        }
    }

    /// Refuses everyone but admins.
    package func requireAdmin() throws(ServiceError) {
        guard isAdmin else {
            throw ServiceError(
                .permissionDenied, "this needs the role admin", nextStep: "Ask an admin of this installation.")
        }
    }
}
