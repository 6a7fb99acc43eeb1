package import Domain
import FoundationEssentials
import SwiftProtobuf

extension SiteStatus {
    package init(wire: Pagewright_Agent_V1_SiteStatus) throws(ServiceError) {
        let refusal = try Field.text(wire.refusal, "refusal", atMost: TextLimit.reason)
        guard wire.applied == refusal.isEmpty else {
            throw Field.refuse("refusal", "contradicts the field applied")
        }
        // One more than this still has to fit.
        _ = try Field.integer(wire.generation, "generation", in: 0...(1 << 62))
        _ = try Field.integer(wire.fetchedBytes, "fetched_bytes")
        try Field.count(wire.trees, "trees", atMost: 16)
        var trees: [Tree] = []
        for tree in wire.trees {
            trees.append(
                Tree(
                    number: VersionNumber(
                        unchecked: try Field.integer(tree.version, "trees.version", in: 1...Int64(Int32.max))),
                    digest: try Field.digest(tree.digest, "trees.digest")))
        }
        self.init(
            site: try Field.identifier(wire.siteID, "site_id"), generation: wire.generation,
            digest: try Field.digest(wire.digest, "digest"),
            condition: wire.applied ? .applied : .refused(reason: refusal),
            fetchedFiles: try Field.integer(wire.fetchedFiles, "fetched_files"), fetchedBytes: wire.fetchedBytes,
            trees: trees)
        if wire.localVersion != 0 {
            localVersion = VersionNumber(
                unchecked: try Field.integer(wire.localVersion, "local_version", in: 1...Int64(Int32.max)))
        }
    }

    package var wire: Pagewright_Agent_V1_SiteStatus {
        .with {
            $0.siteID = site.text
            $0.generation = generation
            $0.digest = Data(digest.bytes)
            switch condition {
            case .applied: $0.applied = true
            case .refused(let reason):
                $0.refusal = reason.isEmpty ? "no reason given" : reason.clipped(to: TextLimit.reason)
            }
            $0.fetchedFiles = Int64(fetchedFiles)
            $0.fetchedBytes = fetchedBytes
            $0.localVersion = localVersion.map { Int64($0.rawValue) } ?? 0
            $0.trees = trees.map { tree in
                .with {
                    $0.version = Int64(tree.number.rawValue)
                    $0.digest = Data(tree.digest.bytes)
                }
            }
        }
    }
}
