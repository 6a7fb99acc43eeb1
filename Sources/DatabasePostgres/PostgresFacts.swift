/// What a server says of itself.
package struct PostgresFacts: Sendable {
    /// Such as `15.20`.
    package let version: String
    /// Whether a commit is on the disk when it is reported, as far as the server's settings say.
    package let isDurable: Bool
    /// The standby servers that every commit waits for; empty when none.
    package let synchronousStandbys: String
}
