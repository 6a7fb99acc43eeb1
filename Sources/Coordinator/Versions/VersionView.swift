package import Domain

/// A version as its owner sees it.
package struct VersionView: Sendable {
    package let version: Version
    package let isLive: Bool
    package let isPreview: Bool
    package let label: VersionLabel

    init(_ version: Version, of site: Site, label: VersionLabel = .none) {
        self.version = version
        self.label = label
        isLive = site.live == version.number
        isPreview = site.preview == version.number
    }
}
