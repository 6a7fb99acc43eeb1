/// A snapshot as far as it has arrived: what it named, and what it removes. Deletions wait for its end, so that half a
/// snapshot deletes nothing, and many deletions are seen as many.
package struct DesiredSnapshot: Sendable, Equatable {
    package private(set) var named: Set<SiteID> = []
    package private(set) var removals: [DesiredSite] = []
    private var nextIndex = 0

    package init() {}

    /// Adds a part and returns its sites that are not to be removed, which need not wait. Returns `nil` when this is not
    /// the part that comes next: then nothing may be deleted for its absence.
    package mutating func add(_ values: [DesiredSite], index: Int) -> [DesiredSite]? {
        guard index == nextIndex else { return nil }
        nextIndex += 1
        named.formUnion(values.lazy.map(\.site))
        removals += values.filter(\.isRemoved)
        return values.filter { !$0.isRemoved }
    }

    /// Something changed while the parts came: those sites are placed on the host too.
    package mutating func note(_ values: [DesiredSite]) { named.formUnion(values.lazy.map(\.site)) }
}
