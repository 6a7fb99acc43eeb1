/// One thing that the coordinator needs, such as its database.
package struct HealthCheck: Sendable {
    package let name: String
    package let isReady: Bool
    /// What is wrong, or worth knowing; empty when nothing is.
    package let detail: String

    package init(name: String, isReady: Bool, detail: String) {
        self.name = name
        self.isReady = isReady
        self.detail = detail
    }
}
