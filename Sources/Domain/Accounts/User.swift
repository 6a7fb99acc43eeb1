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

    package init(id: UserID, email: EmailAddress, name: String, role: Role, createdAt: Timestamp) {
        self.id = id
        self.email = email
        self.name = name
        self.role = role
        self.createdAt = createdAt
    }
}
