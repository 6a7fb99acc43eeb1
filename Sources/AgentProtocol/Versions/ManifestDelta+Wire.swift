package import Domain
import FoundationEssentials
import SwiftProtobuf

extension Manifest.Entry {
    package init(wire: Pagewright_Agent_V1_ManifestEntry) throws(ServiceError) {
        try self.init(path: wire.path, size: wire.sizeBytes, digest: wire.digest)
    }

    package init(wire: Pagewright_Agent_V1_GetManifestResponse.Entry) throws(ServiceError) {
        try self.init(path: wire.path, size: wire.sizeBytes, digest: wire.digest)
    }

    private init(path: String, size: Int64, digest: Data) throws(ServiceError) {
        _ = try Field.integer(size, "upserts.size_bytes")
        self.init(
            path: try Field.path(path, "upserts.path"), sizeInBytes: size,
            digest: try Field.digest(digest, "upserts.digest"))
    }

    package var wire: Pagewright_Agent_V1_ManifestEntry {
        .with {
            $0.path = path.text
            $0.sizeBytes = sizeInBytes
            $0.digest = Data(digest.bytes)
        }
    }
}

extension ManifestDelta {
    /// No delta has more entries than this in each of its lists.
    package static let maximumEntries = 200_000

    init(wire: Pagewright_Agent_V1_Completion.Succeeded) throws(ServiceError) {
        try Field.count(wire.upserts, "upserts", atMost: Self.maximumEntries)
        var upserts: [Manifest.Entry] = []
        for entry in wire.upserts { upserts.append(try Manifest.Entry(wire: entry)) }
        self.init(upserts: upserts, removals: try Self.paths(wire.removals))
    }

    static func paths(_ texts: [String]) throws(ServiceError) -> [SitePath] {
        try Field.count(texts, "removals", atMost: maximumEntries)
        var paths: [SitePath] = []
        for text in texts { paths.append(try Field.path(text, "removals")) }
        return paths
    }
}
