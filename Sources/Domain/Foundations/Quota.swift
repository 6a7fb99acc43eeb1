/// How much of a limit is used, for whoever was refused because of it.
package struct Quota: Sendable, Hashable {
    package let used: Int
    package let allowed: Int
    /// What is counted, in the plural, such as `edits that wait`.
    package let unit: String

    package init(used: Int, allowed: Int, unit: String) {
        self.used = used
        self.allowed = allowed
        self.unit = unit
    }
}
