/// Who asks: a user whose access token was checked.
package struct Principal: Sendable, Equatable {
    package let user: UserID
    package let role: User.Role
    /// The request in which it is asked; empty when there is none. Noted beside the effects in the audit log.
    package let requestID: String

    package init(user: UserID, role: User.Role, requestID: String = "") {
        self.user = user
        self.role = role
        self.requestID = requestID
    }

    /// The same caller, in this request.
    package func asking(in requestID: String) -> Principal {
        Principal(user: user, role: role, requestID: requestID)
    }

    package var isAdmin: Bool { role == .admin }

    /// Refuses everyone but admins.
    package func requireAdmin() throws(ServiceError) {
        guard isAdmin else {
            throw ServiceError(
                .permissionDenied, "this needs the role admin", nextStep: "Ask an admin of this installation.")
        }
    }
}
