import Domain
import NIOCore
import NIOHTTP1

/// A request of a task as it may leave: what the task chose is its body and a few plain headers, and nothing else.
struct EgressRequest {
    let address: EgressAddress
    let head: HTTPRequestHead
    /// The credential, to be kept out of the answer.
    let secret: String

    /// Headers of the task that mean something to a model's API and can do no harm.
    private static let passed: Set<String> = [
        "accept", "content-type", "content-encoding", "anthropic-version", "anthropic-beta", "openai-beta",
    ]

    init(_ asked: HTTPRequestHead, bodySize: Int, allowed: [ModelEndpoint]) throws(EgressRefusal) {
        guard asked.method == .POST else { throw .method }
        guard Self.isPlain(asked.uri) else { throw .target }
        for endpoint in allowed {
            guard let url = endpoint.address(forPath: asked.uri) else { continue }
            guard let address = EgressAddress(url) else { throw .operation }
            var headers = HTTPHeaders([("host", address.hostHeader)])
            for (name, value) in asked.headers where Self.passed.contains(name.lowercased()) {
                guard value.utf8.count <= 4096 else { continue }
                headers.add(name: name.lowercased(), value: value)
            }
            headers.add(name: "accept-encoding", value: "identity")
            headers.add(name: "content-length", value: "\(bodySize)")
            headers.add(name: "connection", value: "close")
            headers.add(name: endpoint.authorizationName, value: endpoint.authorizationValue)
            self.address = address
            head = HTTPRequestHead(version: .http1_1, method: .POST, uri: address.path, headers: headers)
            secret = endpoint.authorizationValue.split(separator: " ").last.map(String.init) ?? ""
            return
        }
        throw .operation
    }

    /// A path and perhaps a query, in which nothing can be read in two ways.
    private static func isPlain(_ uri: String) -> Bool {
        guard uri.hasPrefix("/"), uri.utf8.count <= 2048, !uri.contains(".."), !uri.contains("//") else { return false }
        return uri.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case 0x2d, 0x2e, 0x2f, 0x3d, 0x3f, 0x26, 0x5f, 0x7e, 0x2c, 0x3a: true  // - . / = ? & _ ~ , :
            default: false
            }
        }
    }

    /// The headers of an answer that a task may see.
    static func answerHeaders(_ headers: HTTPHeaders, secret: String) -> HTTPHeaders {
        var passed = HTTPHeaders()
        for (name, value) in headers {
            let name = name.lowercased()
            let isPassed =
                ["content-type", "content-length", "retry-after", "request-id", "x-request-id"].contains(name)
                || name.hasPrefix("x-ratelimit-") || name.hasPrefix("anthropic-ratelimit-")
            if isPassed && (secret.isEmpty || !value.contains(secret)) { passed.add(name: name, value: value) }
        }
        return passed
    }
}
