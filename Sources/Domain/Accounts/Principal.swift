/// Who asks: a user whose access token was checked.
package struct Principal: Sendable, Equatable {
    package let user: UserID
    package let role: User.Role

    package init(user: UserID, role: User.Role) {
        self.user = user
        self.role = role
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
