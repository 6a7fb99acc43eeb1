package import Domain

/// The steps of bringing one site to a new generation, in order. A host may be cut off after any of them.
package enum ServingStep: String, Sendable, CaseIterable {
    /// Every version's signature was checked.
    case verified
    /// All blobs are in the store.
    case fetched
    /// The tree is whole, under its temporary name.
    case treeBuilt
    /// All trees are in place.
    case treesReady
    /// The generation's folder is in place.
    case generationBuilt
    /// Names that nobody had lead to the site.
    case namesAdded
    /// `current` leads to the new generation.
    case switched
    /// Names that another site had lead to this one.
    case namesTaken
    /// nginx was seen to answer with the new generation.
    case probed
    /// Names that the site has no more are gone.
    case namesDropped
}

/// Is told of each step. What it throws is treated as a failure of that step: it is how tests make one.
package typealias ServingStepObserver = @Sendable (ServingStep, SiteID) throws -> Void
