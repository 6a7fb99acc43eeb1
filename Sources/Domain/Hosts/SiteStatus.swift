/// What a host says about one site that it serves.
package struct SiteStatus: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        /// Serves exactly this generation; a probe over loopback saw it.
        case applied
        /// Could not apply it, and still serves what it served before.
        case refused(reason: String)
    }

    /// A version that the host has on disk for the site.
    package struct Tree: Sendable, Hashable {
        package let number: VersionNumber
        package let digest: ContentDigest

        package init(number: VersionNumber, digest: ContentDigest) {
            self.number = number
            self.digest = digest
        }
    }

    package let site: SiteID
    /// The generation that this is about.
    package let generation: Int64
    /// The SHA-256 of the applied value's ``DesiredSite/canonicalText``.
    package let digest: ContentDigest
    package let condition: Condition
    /// What applying it moved over the network.
    package let fetchedFiles: Int
    package let fetchedBytes: Int64
    /// The versions that it serves: live, preview and the one before; told when a session begins.
    package let trees: [Tree]
    /// The version that somebody on the host made live there, against what was asked for.
    package var localVersion: VersionNumber?

    package init(
        site: SiteID, generation: Int64, digest: ContentDigest, condition: Condition, fetchedFiles: Int = 0,
        fetchedBytes: Int64 = 0, trees: [Tree] = []
    ) {
        self.site = site
        self.generation = generation
        self.digest = digest
        self.condition = condition
        self.fetchedFiles = fetchedFiles
        self.fetchedBytes = fetchedBytes
        self.trees = trees
    }
}
