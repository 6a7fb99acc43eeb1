package import Domain
import FoundationEssentials
import SwiftProtobuf

extension DesiredSite {
    package init(wire: Pagewright_Agent_V1_DesiredSite) throws(ServiceError) {
        _ = try Field.integer(wire.generation, "generation")
        let isBare =
            !wire.hasLive && !wire.hasPreview && !wire.hasPrevious && wire.liveNames.isEmpty
            && wire.previewNames.isEmpty && !wire.hasMaintenance && !wire.hasPrepared && wire.addressMode.isEmpty
            && wire.missingPage.isEmpty
        guard isBare || !wire.removed else { throw Field.refuse("removed", "contradicts what is to be served") }
        self.init(
            site: try Field.identifier(wire.siteID, "site_id"), generation: wire.generation, isRemoved: wire.removed,
            live: wire.hasLive ? try Tree(wire: wire.live, field: "live") : nil,
            preview: wire.hasPreview ? try Tree(wire: wire.preview, field: "preview") : nil,
            previous: wire.hasPrevious ? try Tree(wire: wire.previous, field: "previous") : nil,
            liveNames: try Self.names(wire.liveNames, "live_names"),
            previewNames: try Self.names(wire.previewNames, "preview_names"),
            maintenance: wire.hasMaintenance
                ? try Field.text(wire.maintenance, "maintenance", atMost: TextLimit.maintenance) : nil,
            addresses: try Self.addresses(wire))
        if wire.hasPrepared { prepared = try Tree(wire: wire.prepared, field: "prepared") }
    }

    private static func addresses(_ wire: Pagewright_Agent_V1_DesiredSite) throws(ServiceError) -> AddressRules {
        var mode = AddressRules.Mode.pages
        if !wire.addressMode.isEmpty {
            guard let known = AddressRules.Mode(rawValue: wire.addressMode) else {
                throw Field.refuse("address_mode", "is no mode that is known here")
            }
            mode = known
        }
        do {
            return try AddressRules(mode: mode, missingPage: wire.missingPage)
        } catch {
            throw Field.refuse("missing_page", "is not the path of a page")
        }
    }

    private static func names(_ texts: [String], _ field: String) throws(ServiceError) -> [DomainName] {
        try Field.count(texts, field, atMost: 10_000)
        var names: [DomainName] = []
        for text in texts { names.append(try Field.domainName(text, field)) }
        return names
    }

    package var wire: Pagewright_Agent_V1_DesiredSite {
        .with {
            $0.siteID = site.text
            $0.generation = generation
            $0.removed = isRemoved
            if let live { $0.live = live.wire }
            if let preview { $0.preview = preview.wire }
            if let previous { $0.previous = previous.wire }
            if let prepared { $0.prepared = prepared.wire }
            $0.liveNames = liveNames.map(\.text)
            $0.previewNames = previewNames.map(\.text)
            if let maintenance { $0.maintenance = maintenance.clipped(to: TextLimit.maintenance) }
            if addresses != .standard {
                $0.addressMode = addresses.mode.rawValue
                $0.missingPage = addresses.missingPage
            }
        }
    }
}

extension DesiredSite.Tree {
    init(wire: Pagewright_Agent_V1_Tree, field: String) throws(ServiceError) {
        self.init(
            number: VersionNumber(
                unchecked: try Field.integer(wire.version, field + ".version", in: 1...Int64(Int32.max))),
            digest: try Field.digest(wire.digest, field + ".digest"),
            signature: try Field.bytes(wire.signature, field + ".signature", count: 64))
    }

    var wire: Pagewright_Agent_V1_Tree {
        .with {
            $0.version = Int64(number.rawValue)
            $0.digest = Data(digest.bytes)
            $0.signature = Data(signature)
        }
    }
}
