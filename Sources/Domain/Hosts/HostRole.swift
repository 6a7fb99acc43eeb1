/// What a host does.
package enum HostRole: String, Sendable, Hashable, CaseIterable {
    /// Runs jobs in sandboxes.
    case worker
    /// Puts releases behind nginx.
    case serving
}
