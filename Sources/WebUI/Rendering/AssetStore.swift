import Archives
import Artifacts
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Style sheet, scripts and icons, under addresses that name their content, so that a browser may keep them for ever.
struct AssetStore: Sendable {
    private struct Asset: Sendable {
        let type: String
        let plain: ByteBuffer
        let packed: ByteBuffer
    }

    private static let types = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]
    private var assets: [String: Asset] = [:]
    /// Such as `app.css` to `/assets/0123456789ab/app.css`.
    private(set) var addresses: [String: String] = [:]

    init(_ files: [(name: String, bytes: [UInt8])]) throws {
        for file in files {
            guard let type = file.name.split(separator: ".").last.flatMap({ Self.types[String($0)] }) else {
                throw ServiceError(.internalError, "the asset \(file.name) is of no known type")
            }
            let address = "/assets/\(ContentDigest(hashing: file.bytes).abbreviated)/\(file.name)"
            let plain = ByteBuffer(bytes: file.bytes)
            assets[address] = Asset(
                type: type, plain: plain, packed: try GzipCompressor().compress(plain, isLast: true))
            addresses[file.name] = address
        }
    }

    func response(to request: Request) throws -> Response {
        guard let asset = assets[request.uri.path] else {
            throw ServiceError(.notFound, "there is no such asset", nextStep: "Reload the page.")
        }
        let isPacked = request.headers[.acceptEncoding]?.contains("gzip") ?? false
        var headers: HTTPFields = [
            .contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable", .vary: "Accept-Encoding",
        ]
        if isPacked { headers[.contentEncoding] = "gzip" }
        // A page to point at is in a sandbox, so our own script is another's to it. Nothing in an asset is a secret.
        if let name = HTTPField.Name("Cross-Origin-Resource-Policy") { headers[name] = "cross-origin" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: isPacked ? asset.packed : asset.plain))
    }
}
