/// One thing that the program needs in order to work, such as its database.
package struct ReadinessCheck: Sendable {
    package let name: String
    package let isReady: Bool
    /// For an operator; no secrets, since nobody has to log in to read it.
    package let detail: String

    package init(name: String, isReady: Bool, detail: String) {
        self.name = name
        self.isReady = isReady
        self.detail = detail
    }
}
