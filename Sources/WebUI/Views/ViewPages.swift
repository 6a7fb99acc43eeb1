import Artifacts
import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The pages of a version as something to point at.
///
/// The real preview is on an origin of its own and runs the site's scripts, so nothing that comes out of it can be
/// believed: a site could speak in the name of its owner. Here the same files come from us, without any script of theirs,
/// in a sandbox with an origin that nobody else has (`sandbox allow-scripts`, never `allow-same-origin`): they reach no
/// cookie and no page of ours, and the one script that runs is ours, known by a number that is used once. It says which
/// text was clicked, and the studio takes that as text. The frame has no cookies, so the address has a ticket in it that
/// opens this one version for an hour.
struct ViewPages: Sendable {
    /// A page that is larger is not shown for pointing.
    private static let limit = 8 << 20

    let services: WebServices
    /// The address of the script that tells what was clicked.
    let script: String

    var routes: [PageRoute] {
        [
            .get("/sites/{site}/view/{version}/{path}") { visit in
                let principal = try visit.principal
                let site = try await services.sites.find(visit.site, for: principal).site
                let version = try await services.versions.find(
                    try visit.number("version"), of: site.id.text, for: principal)
                let ticket = try await services.accounts.sign(
                    ViewTicket(principal: principal, site: site.id, version: version.version.number))
                let path = visit.parameter("path").addingPercents(keepingSlashes: true)
                return .redirect(to: "/view/\(ticket)/\(path)")
            },
            .get("/view/{ticket}/{path}", access: .anyone) { try await show($0) },
            .post("/sites/{site}/texts") { try await write($0) },
        ]
    }

    private func show(_ visit: PageVisit) async throws -> PageAnswer {
        let ticket = try await services.accounts.verify(ticket: visit.parameter("ticket"))
        let (entry, store) = try await file(visit.parameter("path"), ticket)
        let prefix = "/view/\(visit.parameter("ticket"))/"
        let nonce = SessionCookies.makeToken()
        var bytes = try await store.read(entry.digest, limit: Self.limit)
        let kind = FileKind(entry.path)
        if kind.mediaType.hasPrefix("text/html") || kind.mediaType.hasPrefix("text/css") {
            bytes = RootAddresses.moved(bytes, below: prefix)
        }
        if kind.mediaType.hasPrefix("text/html") {
            // Behind everything: nothing of the page can come between.
            bytes += Array(
                "\n<script src=\"\(script)\" nonce=\"\(nonce)\" data-page=\"\(HTMLText.escaped(entry.path.text))\"></script>\n"
                    .utf8)
        }
        let here = (visit.isSecure ? "https://" : "http://") + (visit.request.head.authority ?? "localhost")
        var headers: HTTPFields = [
            .contentType: kind.mediaType, .cacheControl: "private, max-age=300",
            .contentSecurityPolicy:
                "sandbox allow-scripts; default-src 'none'; script-src 'nonce-\(nonce)'; "
                + "style-src 'unsafe-inline' \(here); img-src data: \(here); font-src data: \(here); "
                + "media-src \(here); frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
        ]
        for (name, value) in [
            ("X-Frame-Options", "SAMEORIGIN"), ("Referrer-Policy", "no-referrer"),
            // The frame has an origin of its own, so its own files are another's to it.
            ("Cross-Origin-Resource-Policy", "cross-origin"), ("Access-Control-Allow-Origin", "*"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return .response(
            Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))))
    }

    /// As the serving hosts look for it: the file, the page of that name, the index of that folder.
    private func file(
        _ path: String, _ ticket: ViewTicket
    ) async throws -> (entry: Manifest.Entry, store: any BlobStore) {
        var refusal: (any Error)?
        for candidate in [path, path + ".html", path + "/index.html"] {
            do {
                return try await services.versions.file(
                    path: candidate, version: ticket.version.rawValue, of: ticket.site.text, for: ticket.principal)
            } catch let error as ServiceError where error.code == .notFound {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? ServiceError(.notFound, "there is no such file")
    }

    /// A text that was clicked and written anew: a version like any other, made without an engine.
    private func write(_ visit: PageVisit) async throws -> PageAnswer {
        let path = visit.sitePath
        let view = try await services.versions.write(
            TextChange(
                path: visit.form["path"] ?? "", old: visit.form["old"] ?? "",
                index: Int(visit.form.text("index")) ?? 0, new: visit.form["new"] ?? ""),
            into: try PageVisit.number(visit.form.text("version")), of: visit.site, for: try visit.principal,
            once: visit.once { "\(path)/studio?done=written&version=\($0.version.number)" })
        return .redirect(to: "\(path)/studio?done=written&version=\(view.version.number)")
    }
}
