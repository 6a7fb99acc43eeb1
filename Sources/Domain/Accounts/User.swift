/// Somebody who can log in.
package struct User: Sendable, Identifiable, Equatable {
    package enum Role: String, Sendable, CaseIterable {
        case user
        case admin
    }

    package let id: UserID
    package let email: EmailAddress
    package let name: String
    package let role: Role
    package let createdAt: Timestamp
    /// Since when they cannot log in; `nil` when they can.
    package let disabledAt: Timestamp?

    package init(
        id: UserID, email: EmailAddress, name: String, role: Role, createdAt: Timestamp, disabledAt: Timestamp? = nil
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.disabledAt = disabledAt
    }
}
