/// How much of a site a change touched, and how much of that nobody asked for.
package struct ChangeScope: Sendable, Hashable {
    /// Files that are new, gone or different.
    package let changed: Int
    /// Files of the site after the change.
    package let total: Int
    /// Changed files that the request did not name although it named others.
    package let outside: Int

    package init(changed: Int, total: Int, outside: Int) {
        self.changed = changed
        self.total = total
        self.outside = outside
    }

    /// Such as `2 of 41 files changed, 0 outside scope`.
    package var sentence: String {
        "\(changed) of \(total) \(total == 1 ? "file" : "files") changed, \(outside) outside scope"
    }
}
