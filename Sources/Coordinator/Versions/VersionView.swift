package import Domain

/// A version as its owner sees it.
package struct VersionView: Sendable {
    package let version: Version
    package let isLive: Bool
    package let isPreview: Bool

    init(_ version: Version, of site: Site) {
        self.version = version
        isLive = site.live == version.number
        isPreview = site.preview == version.number
    }
}
