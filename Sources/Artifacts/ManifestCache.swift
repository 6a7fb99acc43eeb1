package import Domain
import Synchronization

/// Manifests that were read lately, so that a change of one file does not parse the list of ten thousand again.
/// Bounded by the number of files in them all.
package final class ManifestCache: Sendable {
    fileprivate struct State {
        var manifests: [ContentDigest: Manifest] = [:]
        /// Least recently used first.
        var order: [ContentDigest] = []
        var files = 0
    }

    private let store: any BlobStore
    private let limitInFiles: Int
    private let state = Mutex(State())

    package init(store: any BlobStore, limitInFiles: Int = 200_000) {
        self.store = store
        self.limitInFiles = limitInFiles
    }

    /// Throws `notFound` when there is no such manifest, `internalError` when it is damaged.
    package func manifest(_ digest: ContentDigest) async throws -> Manifest {
        if let manifest = state.withLock({ $0.use(digest) }) { return manifest }
        let manifest = try await store.manifest(digest, limits: .standard)
        insert(manifest, digest: digest)
        return manifest
    }

    /// The manifest when it was read or made lately.
    package func known(_ digest: ContentDigest) -> Manifest? { state.withLock { $0.use(digest) } }

    /// Adds one that was just made.
    package func insert(_ manifest: Manifest, digest: ContentDigest) {
        state.withLock { state in
            guard state.manifests.updateValue(manifest, forKey: digest) == nil else { return }
            state.order.append(digest)
            state.files += manifest.entries.count
            while state.files > limitInFiles, state.order.count > 1 {
                let oldest = state.order.removeFirst()
                state.files -= state.manifests.removeValue(forKey: oldest)?.entries.count ?? 0
            }
        }
    }
}

extension ManifestCache.State {
    fileprivate mutating func use(_ digest: ContentDigest) -> Manifest? {
        guard let manifest = manifests[digest] else { return nil }
        if let index = order.firstIndex(of: digest) { order.append(order.remove(at: index)) }
        return manifest
    }
}
