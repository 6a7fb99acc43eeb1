import Artifacts
import Domain

/// A few manifests that were made here last: the coordinator then sends only what differs.
struct RecentManifests {
    private static let limit = 16
    private var order: [ContentDigest] = []
    private(set) var all: [ContentDigest: Manifest] = [:]

    mutating func add(_ manifest: Manifest) {
        let digest = manifest.digest
        order.removeAll { $0 == digest }
        order.append(digest)
        all[digest] = manifest
        if order.count > Self.limit { all[order.removeFirst()] = nil }
    }
}
