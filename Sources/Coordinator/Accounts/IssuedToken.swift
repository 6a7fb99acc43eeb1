package import Domain

/// A personal access token that was just made.
package struct IssuedToken: Sendable {
    package let token: PersonalToken
    /// Shown once; only its hash is kept.
    package let secret: String
}
