import Domain

/// Why a site was about to go.
enum HeldRemoval: Sendable {
    case tombstone(DesiredSite)
    /// A complete snapshot left it out.
    case absence
}
