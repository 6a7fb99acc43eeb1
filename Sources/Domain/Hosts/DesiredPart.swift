/// What a list of wanted states says of sites that are not in it.
package enum DesiredPart: Sendable, Equatable {
    /// Nothing: these changed.
    case change
    /// A part of everything that is placed on the host. Parts are counted from 0 and come in order; after the last one,
    /// and not before, sites that were in no part are to go.
    case snapshot(index: Int, isLast: Bool)

    /// A snapshot in one part.
    package static let whole = DesiredPart.snapshot(index: 0, isLast: true)
}
