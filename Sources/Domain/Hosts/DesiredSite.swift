/// What one host is to serve for one site. Level-triggered: each change is a whole new value of a higher generation.
package struct DesiredSite: Sendable, Equatable {
    /// A version that is to be on the host, with the proof that it is a version of this site.
    package struct Tree: Sendable, Hashable {
        package let number: VersionNumber
        package let digest: ContentDigest
        package let signature: [UInt8]

        package init(number: VersionNumber, digest: ContentDigest, signature: [UInt8]) {
            self.number = number
            self.digest = digest
            self.signature = signature
        }
    }

    package let site: SiteID
    package let generation: Int64
    /// The site is to be gone from the host. Everything below is empty then.
    package let isRemoved: Bool
    package let live: Tree?
    package let preview: Tree?
    /// What was live before: its assets stay reachable.
    package let previous: Tree?
    /// Names that answer with `live`; sorted.
    package let liveNames: [DomainName]
    /// Names that answer with `preview`; sorted.
    package let previewNames: [DomainName]
    /// The text on the maintenance page; `nil` when the site is open.
    package let maintenance: String?
    /// How visitors' addresses lead to files.
    package let addresses: AddressRules
    /// To be fetched and built, and not shown. It is no part of the state: who does not know it fetches later.
    package var prepared: Tree?

    package init(
        site: SiteID, generation: Int64, isRemoved: Bool = false, live: Tree? = nil, preview: Tree? = nil,
        previous: Tree? = nil, liveNames: [DomainName] = [], previewNames: [DomainName] = [],
        maintenance: String? = nil, addresses: AddressRules = .standard
    ) {
        self.site = site
        self.generation = generation
        self.isRemoved = isRemoved
        self.live = live
        self.preview = preview
        self.previous = previous
        self.liveNames = liveNames.sorted()
        self.previewNames = previewNames.sorted()
        self.maintenance = maintenance
        self.addresses = addresses
    }

    /// The trees that the host needs, each once.
    package var trees: [Tree] {
        var seen: Set<ContentDigest> = []
        return [live, preview, previous, prepared].compactMap(\.self).filter { seen.insert($0.digest).inserted }
    }

    /// Whether both ask for the same, whatever their generations are.
    package func hasSameState(as other: DesiredSite) -> Bool { canonicalText == other.canonicalText }

    /// Everything but the generation, as text: two values with the same text ask for the same state.
    package var canonicalText: String {
        func line(_ name: String, _ tree: Tree?) -> String {
            tree.map { "\(name) \($0.number) \($0.digest)\n" } ?? "\(name) -\n"
        }
        return "pagewright-desired-1\n\(site)\nremoved \(isRemoved)\n" + line("live", live) + line("preview", preview)
            + line("previous", previous) + liveNames.map { "live-name \($0)\n" }.joined()
            + previewNames.map { "preview-name \($0)\n" }.joined()
            + (maintenance.map { "maintenance \($0.utf8.count) \($0)\n" } ?? "open\n")
            // Not said where it is the standard, so that states from before there were rules keep their digests.
            + (addresses == .standard
                ? "" : "addresses \(addresses.mode.rawValue)\nmissing-page \(addresses.missingPage)\n")
    }
}
