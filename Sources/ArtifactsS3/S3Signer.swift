import Crypto
import Domain
import NIOHTTP1

/// Signature Version 4 of Amazon, for the service `s3`.
struct S3Signer: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: S3Credentials
    let region: String

    /// The headers to send: those of the request, those that signing adds, and the signature itself.
    func headers(
        for request: S3Request, path: String, authority: String, at now: Timestamp
    ) -> [(name: String, value: String)] {
        var headers = request.headers
        headers.append(("host", authority))
        headers.append(("x-amz-content-sha256", request.bodyHash))
        headers.append(("x-amz-date", Self.time(now)))
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        headers.sort { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let signature = signature(
            of: [
                request.method.rawValue, path, S3Encoding.query(request.query),
                headers.map { "\($0.name):\($0.value)\n" }.joined(), names, request.bodyHash,
            ], at: now)
        headers.append(
            (
                "authorization",
                "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(now)),SignedHeaders=\(names),Signature=\(signature)"
            ))
        return headers
    }

    /// The query of an address that lets whoever has it `GET` the path until `lifetime` (at most 7 days) is over.
    func presignedQuery(path: String, authority: String, lifetime: Duration, at now: Timestamp) -> String {
        var items: [(name: String, value: String)] = [
            ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", "\(credentials.accessKey)/\(scope(now))"),
            ("X-Amz-Date", Self.time(now)), ("X-Amz-Expires", "\(max(1, lifetime.components.seconds))"),
            ("X-Amz-SignedHeaders", "host"),
        ]
        if let token = credentials.sessionToken { items.append(("X-Amz-Security-Token", token)) }
        let query = S3Encoding.query(items)
        // Nobody knows the body of an answer to come; a GET has none anyway.
        let signature = signature(
            of: ["GET", path, query, "host:\(authority)\n", "host", "UNSIGNED-PAYLOAD"], at: now)
        return query + "&X-Amz-Signature=" + signature
    }

    private func signature(of canonicalRequest: [String], at now: Timestamp) -> String {
        let hash = SHA256.hash(data: Array(canonicalRequest.joined(separator: "\n").utf8))
        let text = [Self.algorithm, Self.time(now), scope(now), Hexadecimal.text(of: hash)].joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        for part in [String(Self.time(now).prefix(8)), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return Hexadecimal.text(of: HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    private func scope(_ now: Timestamp) -> String { "\(Self.time(now).prefix(8))/\(region)/s3/aws4_request" }

    /// `20130524T000000Z`.
    static func time(_ now: Timestamp) -> String {
        String(now.description.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }
}
