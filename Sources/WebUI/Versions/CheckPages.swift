import Artifacts
import Coordinator
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// What a browser saw of a version: a part of the version's page, and the pictures themselves.
struct CheckPages: Sendable {
    let services: WebServices

    var routes: [PageRoute] {
        let path = "/sites/{site}/versions/{version}"
        return [
            .get(path + "/checks") { .part("version-checks", Self.values(try await find($0))) },
            .get(path + "/screenshots/{sha256}") { try await picture($0) },
            .post(path + "/look") { try await look($0) },
        ]
    }

    func find(_ visit: PageVisit) async throws -> PageCheckService.View {
        try await services.pageChecks.find(
            try visit.number("version"), of: visit.site, for: try visit.principal)
    }

    /// Has a worker's browser look. Who came from a comparison goes back there.
    private func look(_ visit: PageVisit) async throws -> PageAnswer {
        let number = try visit.number("version")
        var place = "\(visit.sitePath)/versions/\(number)"
        if let from = visit.form["from"], let to = visit.form["to"] {
            place = "\(visit.sitePath)/compare/\(try PageVisit.number(from))/\(try PageVisit.number(to))"
        }
        do {
            _ = try await services.pageLooks.look(
                at: number, of: visit.site, pages: visit.form.all("page"), for: try visit.principal,
                once: visit.once { [place] _ in place })
        } catch let error as ServiceError where error.rule == "look-waiting" {
            // From another tab.
        }
        return .redirect(to: place)
    }

    /// Its address names its content, so the browser keeps it.
    private func picture(_ visit: PageVisit) async throws -> PageAnswer {
        let (picture, store) = try await services.pageChecks.picture(
            visit.parameter("sha256"), version: try visit.number("version"), of: visit.site,
            for: try visit.principal)
        var headers: HTTPFields = [
            .contentType: picture.format.mediaType, .cacheControl: "private, max-age=31536000, immutable",
            .eTag: "\"\(picture.digest)\"",
            .contentSecurityPolicy: "sandbox; default-src 'none'; frame-ancestors 'none'",
        ]
        if let name = HTTPField.Name("X-Content-Type-Options") { headers[name] = "nosniff" }
        return .response(
            Response(
                status: .ok, headers: headers,
                body: .pieces(contentLength: Int(picture.sizeInBytes)) { send in
                    try await store.forEachPiece(of: picture.digest, ofAtMost: 256 << 10, send)
                }))
    }

    static func values(_ view: PageCheckService.View) -> [String: Any] {
        let checks = view.checks?.checks ?? []
        let ran = checks.filter(\.obstacle.isEmpty).map { word(for: $0.name) }
        let reasons = Set(checks.map(\.obstacle)).subtracting([""]).sorted()
        var values: [String: Any] = [
            "path": path(of: view), "ran": ran.joined(separator: ", "), "hasRan": !ran.isEmpty,
            "obstacles": reasons.map { reason -> [String: Any] in
                let names = checks.filter { $0.obstacle == reason }.map { word(for: $0.name) }
                let isAll = names.count == checks.count
                return ["names": isAll ? "nothing was looked at" : names.joined(separator: ", "), "reason": reason]
            },
            "findings": view.findings.map(FindingRow.values), "hasFindings": !view.findings.isEmpty,
        ]
        switch view.checks?.state {
        case nil: values[view.pictures.isEmpty ? "isNone" : "isCompared"] = true
        case .waiting: values["isWaiting"] = true
        case .done(let end): values["finished"] = Wording.time(end)
        }
        if case .waiting? = view.checks?.state {} else { values["canLook"] = true }
        let shots = Screens.pages(of: view)
        values["pages"] = shots.enumerated().map { index, page -> [String: Any] in
            ["page": page.page, "id": "look-\(index + 1)", "screens": page.screens.map(\.values)]
        }
        values["hasPages"] = !shots.isEmpty
        values["isClean"] = view.findings.isEmpty && !ran.isEmpty
        return values
    }

    static func path(of view: PageCheckService.View) -> String {
        "/sites/\(view.site.slug)/versions/\(view.version.number)"
    }

    private static func word(for name: PageChecks.Check.Name) -> String {
        switch name {
        case .console: "errors of scripts"
        case .requests: "missing files"
        case .overflow: "width on a phone and a desktop"
        case .accessibility: "accessibility"
        case .screenshots: "pictures"
        case .difference: "differences in looks"
        }
    }
}
