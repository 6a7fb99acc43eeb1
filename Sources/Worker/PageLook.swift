import Domain

/// A version that is to be looked at when the coordinator has taken it.
struct PageLook: Sendable {
    let lease: JobLease
    /// What it is compared with; `nil` for nothing.
    let base: ContentDigest?
    let version: ContentDigest
    /// The pages to look at; empty for those that may look different.
    var pages: [SitePath] = []
}
