/// Refuses to remove many sites at once: more often than not that is a mistake upstream, and it cannot be undone here.
package struct RemovalBrake: Sendable {
    /// This many may always go.
    package static let harmlessCount = 3
    /// Above that, no more than this share of all sites.
    package static let largestShareInPercent = 5

    package static func refuses(removing count: Int, of total: Int) -> Bool {
        count > harmlessCount && count * 100 > total * largestShareInPercent
    }
}
