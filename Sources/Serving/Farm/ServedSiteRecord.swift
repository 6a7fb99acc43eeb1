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
    /// There when they are not the standard ones.
    var addressMode: String?
    var missingPage: String?
    var fetchedFiles: Int
    var fetchedBytes: Int64
    var recentTrees: [String]
    /// To be on the host and not shown.
    var prepared: Tree?
    /// There when somebody on this host made another version live.
    var asked: Asked?

    struct Asked: Codable {
        var live: Tree?
        var previous: Tree?
    }

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
        if desired.addresses != .standard {
            addressMode = desired.addresses.mode.rawValue
            missingPage = desired.addresses.missingPage
        }
        fetchedFiles = served.fetchedFiles
        fetchedBytes = served.fetchedBytes
        recentTrees = served.recentTrees.map(\.text)
        prepared = desired.prepared.map(Tree.init)
        asked = served.overridden.map { Asked(live: $0.live.map(Tree.init), previous: $0.previous.map(Tree.init)) }
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
        let names = try liveNames.map { try DomainName($0) }
        let previews = try previewNames.map { try DomainName($0) }
        let preview = try preview?.value()
        var addresses = AddressRules.standard
        if let addressMode, let missingPage {
            guard let mode = AddressRules.Mode(rawValue: addressMode) else { throw Self.unreadable("address_mode") }
            addresses = try AddressRules(mode: mode, missingPage: missingPage)
        }
        func state(_ live: Tree?, _ previous: Tree?) throws -> DesiredSite {
            var state = DesiredSite(
                site: site, generation: generation, isRemoved: isRemoved, live: try live?.value(), preview: preview,
                previous: try previous?.value(), liveNames: names, previewNames: previews, maintenance: maintenance,
                addresses: addresses)
            state.prepared = try prepared?.value()
            return state
        }
        return ServedSite(
            desired: try state(live, previous), overriding: try asked.map { try state($0.live, $0.previous) },
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
