/// What a program may do in the name of a user, and until when. The secret itself is shown once and kept nowhere.
package struct PersonalToken: Sendable, Identifiable, Equatable {
    /// The longest life, in days.
    package static let maximumDays = 366
    package static let standardDays = 90

    package let id: PersonalTokenID
    package let user: UserID
    /// What it is for, in the words of its owner.
    package let name: String
    package let scopes: Set<AccessScope>
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    /// To the minute; `nil` when it never was.
    package let lastUsedAt: Timestamp?

    package init(
        id: PersonalTokenID, user: UserID, name: String, scopes: Set<AccessScope>, createdAt: Timestamp,
        expiresAt: Timestamp, lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.user = user
        self.name = name
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
    }

    /// Made at `now`, for 1 to ``maximumDays`` days.
    package init(
        id: PersonalTokenID, user: UserID, name: String, scopes: Set<AccessScope>, days: Int, at now: Timestamp
    ) throws(ServiceError) {
        guard (1...Self.maximumDays).contains(days) else {
            throw ServiceError(
                .invalidArgument, "a token lives for 1 to \(Self.maximumDays) days", field: "days",
                rule: "token-lifetime")
        }
        self.init(
            id: id, user: user, name: try Site.validName(name), scopes: scopes, createdAt: now,
            expiresAt: now + .seconds(Int64(days) * 86_400))
    }
}
