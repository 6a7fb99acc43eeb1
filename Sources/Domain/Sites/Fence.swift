/// The ever-growing number of a site that makes late writers harmless: what was granted under a lower one is refused.
///
/// The high 16 bits hold the incarnation of the database, so that fences also grow across a restore.
package struct Fence: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: Int64
    package static let zero = Fence(rawValue: 0)

    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// The lowest fence of an incarnation, 0 to 32,767.
    package init(incarnation: Int16) { rawValue = Int64(incarnation) << 48 }

    package var incarnation: Int16 { Int16(truncatingIfNeeded: rawValue >> 48) }

    package var next: Fence { Fence(rawValue: rawValue + 1) }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    package var description: String { String(rawValue) }
}
