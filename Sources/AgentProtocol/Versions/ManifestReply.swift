package import Domain
import FoundationEssentials
import SwiftProtobuf

/// The answer to `GetManifest`: a manifest as the difference to one that the caller has, or to the empty one.
package struct ManifestReply: Sendable, Equatable {
    /// `nil`: `changes` are to the manifest without files.
    package let base: ContentDigest?
    package let changes: ManifestDelta

    package init(base: ContentDigest?, changes: ManifestDelta) {
        self.base = base
        self.changes = changes
    }

    package init(wire: Pagewright_Agent_V1_GetManifestResponse) throws(ServiceError) {
        try Field.count(wire.upserts, "upserts", atMost: ManifestDelta.maximumEntries)
        var upserts: [Manifest.Entry] = []
        for entry in wire.upserts { upserts.append(try Manifest.Entry(wire: entry)) }
        self.init(
            base: wire.base.isEmpty ? nil : try Field.digest(wire.base, "base"),
            changes: ManifestDelta(upserts: upserts, removals: try ManifestDelta.paths(wire.removals)))
    }

    package var wire: Pagewright_Agent_V1_GetManifestResponse {
        .with {
            $0.base = base.map { Data($0.bytes) } ?? Data()
            $0.upserts = changes.upserts.map { entry in
                .with {
                    $0.path = entry.path.text
                    $0.sizeBytes = entry.sizeInBytes
                    $0.digest = Data(entry.digest.bytes)
                }
            }
            $0.removals = changes.removals.map(\.text)
        }
    }
}
