import Artifacts
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// One file of a version, in a form that no browser runs on this address: it is a download, in a sandbox.
struct FileAnswer {
    private static let pieceSize = 256 << 10

    let entry: Manifest.Entry
    let store: any BlobStore

    func response(to request: Request) -> Response {
        let tag = "\"\(entry.digest)\""
        var headers: HTTPFields = [
            .contentType: contentType, .eTag: tag, .cacheControl: "private, no-cache",
            .contentSecurityPolicy: "sandbox; default-src 'none'; frame-ancestors 'none'",
        ]
        if let name = HTTPField.Name("Content-Disposition") {
            headers[name] = "attachment; filename*=UTF-8''\(PercentEncoding.encoded(entry.path.name))"
        }
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map(\.trimmed) ?? []
        if known.contains(tag) || known == ["*"] { return Response(status: .notModified, headers: headers) }
        return Response(
            status: .ok, headers: headers,
            body: .pieces(contentLength: Int(entry.sizeInBytes)) { [store, entry] send in
                try await store.forEachPiece(of: entry.digest, ofAtMost: Self.pieceSize, send)
            })
    }

    private var contentType: String {
        guard let type = MediaType.getMediaType(forExtension: entry.path.fileExtension) else {
            return "application/octet-stream"
        }
        let text = "\(type)"
        return text.hasPrefix("text/") ? text + "; charset=utf-8" : text
    }
}
