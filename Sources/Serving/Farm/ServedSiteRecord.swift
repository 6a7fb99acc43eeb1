import Domain
import FoundationEssentials

/// ``ServedSite`` as `desired.json`, in the folder of its generation.
struct ServedSiteRecord: Codable {
    struct Tree: Codable {
        var number: Int
        var digest: String
        var signature: String

        init(_ tree: DesiredSite.Tree) {
            number = tree.number.rawValue
            digest = tree.digest.text
            signature = Hexadecimal.text(of: tree.signature)
        }

        func value() throws -> DesiredSite.Tree {
            guard let digest = ContentDigest(digest), let signature = Hexadecimal.bytes(of: signature) else {
                throw ServedSiteRecord.unreadable("a tree")
            }
            return DesiredSite.Tree(number: try VersionNumber(number), digest: digest, signature: signature)
        }
    }

    var format = 1
    var site: String
    var generation: Int64
    var isRemoved: Bool
    var live: Tree?
    var preview: Tree?
    var previous: Tree?
    var liveNames: [String]
    var previewNames: [String]
    var maintenance: String?
    var fetchedFiles: Int
    var fetchedBytes: Int64
    var recentTrees: [String]

    init(_ served: ServedSite) {
        let desired = served.desired
        site = desired.site.text
        generation = desired.generation
        isRemoved = desired.isRemoved
        live = desired.live.map(Tree.init)
        preview = desired.preview.map(Tree.init)
        previous = desired.previous.map(Tree.init)
        liveNames = desired.liveNames.map(\.text)
        previewNames = desired.previewNames.map(\.text)
        maintenance = desired.maintenance
        fetchedFiles = served.fetchedFiles
        fetchedBytes = served.fetchedBytes
        recentTrees = served.recentTrees.map(\.text)
    }

    /// Bytes from a disk are checked as those from a stranger.
    init(decoding bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Self.self, from: Data(bytes))
        guard format == 1 else { throw Self.unreadable("format \(format)") }
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [0x0a]
    }

    func value() throws -> ServedSite {
        guard let site = SiteID(site) else { throw Self.unreadable("site") }
        return ServedSite(
            desired: DesiredSite(
                site: site, generation: generation, isRemoved: isRemoved, live: try live?.value(),
                preview: try preview?.value(), previous: try previous?.value(),
                liveNames: try liveNames.map { try DomainName($0) },
                previewNames: try previewNames.map { try DomainName($0) }, maintenance: maintenance),
            fetchedFiles: fetchedFiles, fetchedBytes: fetchedBytes,
            recentTrees: try recentTrees.map { text in
                guard let digest = ContentDigest(text) else { throw Self.unreadable("recent_trees") }
                return digest
            })
    }

    static func unreadable(_ what: String) -> ServiceError {
        ServiceError(.internalError, "desired.json cannot be read: \(what)", rule: "desired-record")
    }
}
