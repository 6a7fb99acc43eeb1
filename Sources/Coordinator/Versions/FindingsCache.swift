import Domain
import Synchronization

/// All findings of the versions that were checked lately, so that a small change of a large site is checked by itself.
/// Bounded by the number of findings in them all.
final class FindingsCache: Sendable {
    private static let limit = 20_000
    private static let versions = 256

    private struct State {
        var findings: [ContentDigest: [Finding]] = [:]
        /// The oldest first.
        var order: [ContentDigest] = []
        var count = 0
    }

    private let state = Mutex(State())

    /// `nil` when the version with this manifest has to be checked as a whole.
    func known(_ digest: ContentDigest) -> [Finding]? { state.withLock { $0.findings[digest] } }

    func insert(_ findings: [Finding], of digest: ContentDigest) {
        state.withLock { state in
            guard findings.count <= Self.limit, state.findings.updateValue(findings, forKey: digest) == nil else {
                return
            }
            state.order.append(digest)
            state.count += findings.count
            while state.count > Self.limit || state.order.count > Self.versions {
                state.count -= state.findings.removeValue(forKey: state.order.removeFirst())?.count ?? 0
            }
        }
    }
}
