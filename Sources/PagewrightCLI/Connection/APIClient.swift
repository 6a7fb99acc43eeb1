import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Speaks to one coordinator as one user.
///
/// Tokens that ran out are renewed; every answer other than 2xx becomes a ``CLIError``; every mutation carries an
/// `Idempotency-Key`, so that a request whose answer was lost can be sent again.
struct APIClient: Sendable {
    let server: ServerAddress
    let tokens: TokenSource
    let http: HTTPClient
    static let answerLimit = 64 << 20

    /// Sends and waits for the whole answer.
    func send(
        _ method: RequestMethod, _ path: APIPath, body: RequestBody = .none,
        headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(60)
    ) async throws -> APIResponse {
        let response = try await open(method, path, body: body, headers: headers, timeout: timeout)
        do {
            return APIResponse(
                status: Int(response.status.code),
                contentType: response.headers.first(name: "content-type") ?? "",
                body: Data(try await response.body.collect(upTo: Self.answerLimit).readableBytesView))
        } catch {
            throw Self.translate(error, server: server)
        }
    }

    /// Sends, and hands back the answer with its body still to be read.
    func open(
        _ method: RequestMethod, _ path: APIPath, body: RequestBody = .none,
        headers: [(name: String, value: String)] = [],
        timeout: Duration? = .seconds(60)
    ) async throws -> HTTPClientResponse {
        var headers = headers
        if !method.onlyReads { headers.append(("idempotency-key", UUID().uuidString.lowercased())) }
        var token = try await tokens.current(for: self)
        var response = try await attempt(method, path, body, headers, token, timeout)
        if response.status == .unauthorized, let renewed = try await tokens.renewed(replacing: token, for: self) {
            token = renewed
            response = try await attempt(method, path, body, headers, token, timeout)
        }
        guard (200..<300).contains(response.status.code) else {
            let bytes = try? await response.body.collect(upTo: 1 << 20)
            throw APIProblem.error(
                status: Int(response.status.code), requestID: response.headers.first(name: "x-request-id"),
                body: bytes.map { Data($0.readableBytesView) } ?? Data())
        }
        return response
    }

    /// One request; sent once more when the connection broke under it.
    private func attempt(
        _ method: RequestMethod, _ path: APIPath, _ body: RequestBody, _ headers: [(name: String, value: String)],
        _ token: String?,
        _ timeout: Duration?
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: server.text + path.text)
        request.method = HTTPMethod(rawValue: method.text)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.headers.replaceOrAdd(name: "user-agent", value: "pagewright/\(ClientVersion.text)")
        if let token { request.headers.replaceOrAdd(name: "authorization", value: "Bearer \(token)") }
        try body.attach(to: &request)
        let deadline = timeout.map { NIODeadline.now() + .nanoseconds(Int64($0 / .nanoseconds(1))) } ?? .distantFuture
        do {
            return try await http.execute(request, deadline: deadline)
        } catch let error as HTTPClientError where error == .remoteConnectionClosed {
            do {
                return try await http.execute(request, deadline: deadline)
            } catch {
                throw Self.translate(error, server: server)
            }
        } catch {
            throw Self.translate(error, server: server)
        }
    }

    /// Says what a broken connection means to a person.
    static func translate(_ error: any Error, server: ServerAddress) -> any Error {
        if error is CancellationError || error is CLIError { return error }
        if let error = error as? HTTPClientError, error == .cancelled { return CancellationError() }
        if let error = error as? HTTPClientError, error == .deadlineExceeded || error == .readTimeout {
            return CLIError(
                .timedOut, "\(server) did not answer in time",
                nextStep: "Try again; if it stays so, look at the coordinator's log.")
        }
        return CLIError(
            .unreachable, "cannot reach \(server): \(reason(of: error))",
            nextStep: "Start it with `pagewright up`, or name the address with --url or PAGEWRIGHT_URL.")
    }

    private static func reason(of error: any Error) -> String {
        let text = String(describing: error)
        if text.contains("ECONNREFUSED") || text.contains("onnection refused") { return "nothing listens there" }
        if text.contains("connectTimeout") { return "no answer to the connection" }
        return text
    }
}

/// A path below `/api/v1`, with every part escaped.
struct APIPath: Sendable, ExpressibleByStringInterpolation, Equatable {
    let text: String

    /// The path exactly as given: for `pagewright api`.
    init(raw text: String) { self.text = text }

    init(stringLiteral value: String) { text = "/api/v1" + value }

    init(stringInterpolation: Interpolation) { text = "/api/v1" + stringInterpolation.text }

    struct Interpolation: StringInterpolationProtocol {
        var text = ""
        init(literalCapacity: Int, interpolationCount: Int) {}
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ value: String) { text += APIPath.escaped(value) }
        mutating func appendInterpolation(_ value: Int) { text += String(value) }
    }

    /// Adds query parameters; those without a value are left out.
    func with(_ query: [(name: String, value: String?)]) -> APIPath {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
        guard !pairs.isEmpty else { return self }
        return APIPath(raw: text + (text.contains("?") ? "&" : "?") + pairs.joined(separator: "&"))
    }

    static func escaped(_ text: String) -> String {
        let plain = CharacterSet(
            charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }
}
