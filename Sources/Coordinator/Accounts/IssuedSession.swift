package import Domain

/// What somebody gets who registered, logged in, or refreshed: two tokens and their ends.
package struct IssuedSession: Sendable {
    package let user: User
    package let accessToken: String
    package let accessExpiresAt: Timestamp
    package let refreshToken: String
    package let refreshExpiresAt: Timestamp
}
