import Domain
import Validation

/// A site in memory, with a count of what was asked of it.
final class TestSite {
    private let files: [String: [UInt8]]
    let manifest: Manifest
    private(set) var asked: [String] = []

    convenience init(_ files: [String: String]) throws {
        try self.init(bytes: files.mapValues { Array($0.utf8) })
    }

    init(bytes files: [String: [UInt8]]) throws {
        self.files = files
        manifest = try Manifest(
            files.map { path, bytes in
                Manifest.Entry(path: try SitePath(path), sizeInBytes: Int64(bytes.count), digest: Self.digest(bytes))
            })
    }

    /// A home page without a fault, and these.
    convenience init(home: String, _ files: [String: String] = [:]) throws {
        try self.init(files.merging(["index.html": page(home)]) { own, _ in own })
    }

    func facts(_ entry: Manifest.Entry) -> FileFacts? {
        asked.append(entry.path.text)
        return FileFacts.extract(entry.path, from: files[entry.path.text] ?? [])
    }

    func findings() async throws -> [Finding] {
        try await ContentValidator().check(manifest) { self.facts($0) }
    }

    /// `rule path subject`, one for each finding.
    func marks() async throws -> [String] {
        try await findings().map { "\($0.rule) \($0.path) \($0.subject)" }
    }

    func ruling(after parent: TestSite) async throws -> ValidationRuling {
        try await ContentValidator().check(manifest, parent: parent.manifest, origin: .edit) { entry in
            let isNew = self.manifest.entry(at: entry.path)?.digest == entry.digest
            return isNew ? self.facts(entry) : parent.facts(entry)
        }
    }

    /// Not SHA-256, but as different as the contents are.
    private static func digest(_ bytes: [UInt8]) -> ContentDigest {
        var state: [UInt64] = [0xcbf2_9ce4_8422_2325, 1, 2, 3]
        for byte in bytes {
            for lane in state.indices {
                state[lane] = (state[lane] ^ UInt64(byte)) &* (0x100_0000_01b3 &+ UInt64(lane) * 2)
            }
        }
        return ContentDigest(
            bytes: state.flatMap { lane in (0..<8).map { UInt8(truncatingIfNeeded: lane >> ($0 * 8)) } })!
    }
}

/// A page without a fault around `content`.
func page(_ content: String, head: String = "") -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>Title</title>\(head)</head>
    <body><main><h1>Heading</h1>\(content)</main></body></html>
    """
}
