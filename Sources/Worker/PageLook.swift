import Domain

/// A version that is to be looked at when the coordinator has taken it.
struct PageLook: Sendable {
    let lease: JobLease
    let base: ContentDigest
    let version: ContentDigest
}
