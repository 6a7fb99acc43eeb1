/// Which life of the database this is: 0 at first, and one more whenever its memory may have been lost. It stands in
/// the high bits of fences and of generations, so that what a lost life gave out is below all that this one gives.
package struct Incarnation: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int16
    package static let first = Incarnation(rawValue: 0)

    package init(rawValue: Int16) { self.rawValue = rawValue }

    /// The one that gave out `generation`.
    package init(ofGeneration generation: Int64) {
        rawValue = Int16(clamping: max(0, generation) >> 32)
    }

    package var lowestFence: Fence { Fence(incarnation: rawValue) }
    package var lowestGeneration: Int64 { Int64(rawValue) << 32 }

    /// Throws when all 32,767 are used up.
    package func next() throws(ServiceError) -> Incarnation {
        guard rawValue < .max else {
            throw ServiceError(.failedPrecondition, "the database has had too many incarnations")
        }
        return Incarnation(rawValue: rawValue + 1)
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var description: String { String(rawValue) }
}
