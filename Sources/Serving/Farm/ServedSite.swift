import Artifacts
package import Domain

/// What a host serves for one site, and what it took to get there: all that is needed to carry on after a restart.
package struct ServedSite: Sendable, Equatable {
    /// How many trees that are not wanted any more stay for a quick way back.
    static let retainedTrees = 3

    package let desired: DesiredSite
    /// What the coordinator asked for, when somebody on this host made another version live; the generation is the same.
    package let overridden: DesiredSite?
    /// The SHA-256 of the desired value's canonical text.
    package let digest: ContentDigest
    package let fetchedFiles: Int
    package let fetchedBytes: Int64
    /// Trees that were wanted before, the latest first.
    package let recentTrees: [ContentDigest]

    package init(
        desired: DesiredSite, overriding overridden: DesiredSite? = nil, fetchedFiles: Int = 0, fetchedBytes: Int64 = 0,
        recentTrees: [ContentDigest] = []
    ) {
        self.desired = desired
        self.overridden = overridden
        digest = ContentDigest(hashing: desired.canonicalText)
        self.fetchedFiles = fetchedFiles
        self.fetchedBytes = fetchedBytes
        self.recentTrees = recentTrees
    }

    /// What follows `previous` once `desired` is in force.
    init(desired: DesiredSite, after previous: ServedSite?, fetchedFiles: Int, fetchedBytes: Int64) {
        let wanted = Set(desired.trees.map(\.digest))
        var recent: [ContentDigest] = []
        for digest in (previous?.desired.trees.map(\.digest) ?? []) + (previous?.recentTrees ?? [])
        where !wanted.contains(digest) && !recent.contains(digest) {
            recent.append(digest)
        }
        self.init(
            desired: desired, fetchedFiles: fetchedFiles, fetchedBytes: fetchedBytes,
            recentTrees: desired.isRemoved ? [] : Array(recent.prefix(Self.retainedTrees)))
    }

    /// What the coordinator asked for.
    package var asked: DesiredSite { overridden ?? desired }

    /// The same with `tree` live, whatever was asked for; with what was asked for when that is the tree.
    func overriding(live tree: DesiredSite.Tree) -> ServedSite {
        let asked = asked
        guard tree != asked.live else {
            return ServedSite(
                desired: asked, fetchedFiles: fetchedFiles, fetchedBytes: fetchedBytes, recentTrees: recentTrees)
        }
        let shown = DesiredSite(
            site: asked.site, generation: asked.generation, live: tree, preview: asked.preview, previous: asked.live,
            liveNames: asked.liveNames, previewNames: asked.previewNames, maintenance: asked.maintenance,
            addresses: asked.addresses)
        return ServedSite(
            desired: shown, overriding: asked, fetchedFiles: fetchedFiles, fetchedBytes: fetchedBytes,
            recentTrees: recentTrees)
    }

    package var name: GenerationName { GenerationName(generation: desired.generation, digest: digest) }

    /// Every tree that must stay on the host.
    var trees: [ContentDigest] {
        desired.trees.map(\.digest) + (overridden?.trees.map(\.digest) ?? []) + recentTrees
    }

    /// The versions by number, each once, also when two have the same content.
    private var statedTrees: [SiteStatus.Tree] {
        var seen: Set<SiteStatus.Tree> = []
        return [desired.live, desired.preview, desired.previous].compactMap(\.self)
            .map { SiteStatus.Tree(number: $0.number, digest: $0.digest) }
            .filter { seen.insert($0).inserted }
    }

    package var status: SiteStatus {
        var status = SiteStatus(
            site: desired.site, generation: desired.generation, digest: digest, condition: .applied,
            fetchedFiles: fetchedFiles, fetchedBytes: fetchedBytes, trees: statedTrees)
        if overridden != nil { status.localVersion = desired.live?.number }
        return status
    }
}
