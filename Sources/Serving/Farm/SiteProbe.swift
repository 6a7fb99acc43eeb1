import Domain
import Nginx

/// Looks at a site as a visitor would, and says what is wrong with what it saw.
struct SiteProbe: Sendable {
    /// Asks nginx for the front page under this name.
    let ask: @Sendable (_ host: String) throws -> LoopbackAnswer

    /// The folder that a generation's live names lead to: what they show, and which version that is.
    static func shown(live desired: DesiredSite) -> String {
        let version = desired.live?.digest.abbreviated ?? noVersion
        if desired.maintenance != nil { return "maintenance-\(version)" }
        return desired.live == nil ? "nothing-\(version)" : "live\(mode(of: desired))-\(version)"
    }

    static func shown(preview desired: DesiredSite) -> String {
        desired.preview.map { "preview\(mode(of: desired))-\($0.digest.abbreviated)" } ?? "nothing-\(noVersion)"
    }

    /// A part of the folder's name that nginx reads.
    private static func mode(of desired: DesiredSite) -> String {
        switch desired.addresses.mode {
        case .pages: ""
        case .spa: "-spa"
        }
    }

    private static let noVersion = "000000000000"

    /// Throws unless each of `names` shows what `served` says.
    func check(_ served: ServedSite, names: [DomainName], in layout: ServingLayout) throws(ServiceError) {
        let desired = served.desired
        let previews = Set(desired.previewNames)
        for name in names {
            let isPreview = previews.contains(name)
            let tree = isPreview ? desired.preview : desired.live
            let status =
                if !isPreview, desired.maintenance != nil {
                    503
                } else if let tree, FarmFiles.exists(layout.tree(tree.digest) + "/index.html") {
                    200
                } else {
                    404
                }
            let answer = try answer(from: name)
            let version = answer.headers[NginxConfiguration.versionHeader.lowercased()]
            guard answer.status == status, version == tree?.digest.abbreviated ?? Self.noVersion else {
                throw ServiceError(
                    .unavailable,
                    "nginx answered \(answer.status) with version \(version ?? "none") for \(name); expected \(status) with "
                        + "version \(tree?.digest.abbreviated ?? Self.noVersion)",
                    rule: "probe", nextStep: "Run: pagewright-agent doctor, on that host.")
            }
        }
    }

    /// Throws when something is still shown under `name`.
    func checkIsGone(_ name: DomainName) throws(ServiceError) {
        let answer = try answer(from: name)
        guard answer.status == 421 else {
            throw ServiceError(.unavailable, "nginx still answers for \(name), with \(answer.status)", rule: "probe")
        }
    }

    private func answer(from name: DomainName) throws(ServiceError) -> LoopbackAnswer {
        do {
            return try ask(name.text)
        } catch {
            throw ServiceError(
                .unavailable, "nginx does not answer for \(name)", rule: "probe",
                nextStep: "Run: pagewright-agent doctor, on that host.", cause: error)
        }
    }
}
