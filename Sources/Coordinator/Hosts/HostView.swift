package import Domain

/// A host as an admin sees it.
package struct HostView: Sendable {
    package let host: Host
    package let isConnected: Bool
    /// As the host said last; `nil` while it is not connected.
    package let diskFreeBytes: Int64?
    package let diskTotalBytes: Int64?
    /// How many more jobs it can take now.
    package let credit: Int
    /// The jobs that it works on.
    package let jobs: [JobID]
}

/// A site on a host.
package struct HostedSite: Sendable {
    package let site: Site
    package let placement: Placement
}

/// What makes a machine a member, once.
package struct Invitation: Sendable {
    /// Shown once; only its hash is kept.
    package let token: String
    package let expiresAt: Timestamp
    package let roles: Set<HostRole>
    /// What to run on the new machine.
    package let command: String
}
