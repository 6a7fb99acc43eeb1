import Artifacts
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// A picture of a page. Its address names its content, so whoever has it need not ask again.
struct PictureAnswer {
    let picture: PagePicture
    let store: any BlobStore

    func response(to request: Request) -> Response {
        let tag = "\"\(picture.digest)\""
        var headers: HTTPFields = [
            .contentType: picture.format.mediaType, .eTag: tag,
            .cacheControl: "private, max-age=31536000, immutable",
            .contentSecurityPolicy: "sandbox; default-src 'none'; frame-ancestors 'none'",
        ]
        if let name = HTTPField.Name("X-Content-Type-Options") { headers[name] = "nosniff" }
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map(\.trimmed) ?? []
        if known.contains(tag) || known == ["*"] { return Response(status: .notModified, headers: headers) }
        return Response(
            status: .ok, headers: headers,
            body: .pieces(contentLength: Int(picture.sizeInBytes)) { [store, picture] send in
                try await store.forEachPiece(of: picture.digest, ofAtMost: 256 << 10, send)
            })
    }
}
