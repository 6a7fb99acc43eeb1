/// One site on one host: what generation is desired, and what the host said last. Generations only grow.
package struct Placement: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// The host has not answered for this generation yet.
        case pending
        case applied
        case refused
    }

    /// What a word of the host makes of the row.
    package enum Reply: Sendable, Equatable {
        /// The row is as it was.
        case unchanged
        /// The row has changed.
        case noted
        /// The next generation must be above this one, because the host has another state under it.
        case raise(above: Int64, because: Conflict)
    }

    package enum Conflict: Sendable, Equatable {
        /// The host is ahead of the database, which was restored from before.
        case hostIsAhead
        /// One generation means two states.
        case otherState
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

    package init(
        host: HostID, site: SiteID, generation: Int64, isRemoved: Bool = false, state: State = .pending,
        appliedGeneration: Int64 = 0, error: String? = nil, fetchedFiles: Int = 0, fetchedBytes: Int64 = 0,
        updatedAt: Timestamp
    ) {
        self.host = host
        self.site = site
        self.generation = generation
        self.isRemoved = isRemoved
        self.state = state
        self.appliedGeneration = appliedGeneration
        self.error = error
        self.fetchedFiles = fetchedFiles
        self.fetchedBytes = fetchedBytes
        self.updatedAt = updatedAt
    }

    /// Whether comparing it with what the host says needs the digest of what is desired.
    package func needsDigest(for status: SiteStatus) -> Bool {
        status.generation == generation && state != .applied && status.condition == .applied
    }

    /// Compares with the inventory at the start of a session. `digest` is that of what is desired now, and may be
    /// missing unless ``needsDigest(for:)``.
    package mutating func compare(_ status: SiteStatus, digest: ContentDigest?, at now: Timestamp) -> Reply {
        if status.generation > generation { return .raise(above: status.generation, because: .hostIsAhead) }
        guard needsDigest(for: status), let digest else { return .unchanged }
        // A restored database that has counted up to where the host is already.
        guard status.digest == digest else { return .raise(above: status.generation, because: .otherState) }
        state = .applied
        appliedGeneration = status.generation
        error = nil
        updatedAt = now
        return .noted
    }

    /// Notes what the host said about one generation. `digest` is that of what is desired now.
    package mutating func note(_ status: SiteStatus, digest: ContentDigest, at now: Timestamp) -> Reply {
        if status.generation > generation { return .raise(above: status.generation, because: .hostIsAhead) }
        switch status.condition {
        case .applied:
            if status.generation == generation, status.digest != digest {
                return .raise(above: status.generation, because: .otherState)
            }
            appliedGeneration = max(appliedGeneration, status.generation)
            updatedAt = now
            guard status.generation == generation else { break }
            state = .applied
            error = nil
            fetchedFiles = status.fetchedFiles
            fetchedBytes = status.fetchedBytes
        case .refused(let reason):
            updatedAt = now
            guard status.generation == generation else { break }
            state = .refused
            error = String(reason.prefix(1000))
        }
        return .noted
    }
}
