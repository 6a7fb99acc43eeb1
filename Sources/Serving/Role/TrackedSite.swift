import Domain

/// One site as the role sees it: what is served, what is wanted, and how far it got.
struct TrackedSite {
    /// What nginx serves; `nil` before the first generation.
    var served: ServedSite?
    /// The generation that must not be gone below, when its record cannot be read.
    var floor: GenerationName?
    /// A newer state than what is served.
    var wanted: DesiredSite?
    /// The site is in no complete snapshot any more.
    var isForgotten = false
    /// Why the wanted state is not served.
    var refusal: ServiceError?
    /// In the queue, or in work.
    var isBusy = false
    var attempts = 0
    var tally = TransferTally()
    /// Ends the attempt in work, for a newer state.
    var supersede: AsyncStream<Void>.Continuation?

    /// What decides about a new state.
    var replica: SiteReplica { SiteReplica(served: served?.asked, floor: floor, wanted: wanted) }

    var generation: Int64 { replica.generation }

    /// Whether visitors can see anything of it.
    var isVisible: Bool { served.map { !$0.desired.isRemoved } ?? (floor != nil) }
}
