package import Domain

/// One site on one host: what generation is desired, and what the host said last.
package struct Placement: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// The host has not answered for this generation yet.
        case pending
        case applied
        case refused
    }

    package var host: HostID
    package var site: SiteID
    package var generation: Int64
    package var isRemoved: Bool
    package var state: State
    package var appliedGeneration: Int64
    package var error: String?
    package var fetchedFiles: Int
    package var fetchedBytes: Int64
    package var updatedAt: Timestamp
}
