import AsyncHTTPClient
import BlockingIO
import Dispatch
import Domain
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import NIOSSL
import Telemetry

/// Signs requests, sends them, makes them again when that can help, and says what a failure means.
final class S3Client: Sendable {
    /// An answer that has been read to its end.
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: ByteBuffer

        var contentLength: Int64? { headers.first(name: "content-length").flatMap { Int64($0) } }
        var lastModified: Timestamp? { headers.first(name: "last-modified").flatMap(S3Time.parsed(http:)) }
        var serverTime: Timestamp? { headers.first(name: "date").flatMap(S3Time.parsed(http:)) }
    }

    /// The largest answer that is read as a whole: a page of a listing.
    private static let largestAnswer = 8 << 20
    private static let largestError = 64 << 10
    /// Below this a transfer counts as stuck.
    private static let slowestBytesInASecond = 32 << 10

    let location: S3Location
    let clock: any WallClock
    private let credentials: S3CredentialSource
    private let http: HTTPClient
    private let logger: Logger

    init(
        location: S3Location, credentials: S3CredentialSource, clock: any WallClock, logger: Logger
    ) {
        self.location = location
        self.credentials = credentials
        self.clock = clock
        self.logger = logger
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = location.authorityFile { tls.additionalTrustRoots = [.file(file)] }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5), read: .seconds(20), write: .seconds(20)))
        configuration.httpVersion = .http1Only
        // We know better which request is worth another connection.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    deinit {
        // The client keeps itself alive until its connections are closed.
        http.shutdown(queue: .global()) { _ in }
    }

    /// The answer to a request that succeeded; other answers are thrown as ``S3Failure`` when `expected` has their status, and
    /// as ``ServiceError`` otherwise.
    func send(
        _ request: S3Request, backoff: S3Backoff = .brisk, expecting expected: Set<Int> = [], signedAt: Timestamp? = nil
    ) async throws -> Answer {
        try await retrying(request.operation, backoff: backoff, expecting: expected) {
            try await self.attempt(request, signedAt: signedAt) { response in
                let body = try await response.body.collect(upTo: Self.largestAnswer)
                return Answer(status: Int(response.status.code), headers: response.headers, body: body)
            }
        }
    }

    /// Begins a request once, hands the answer to `body` and throws its own errors as they come.
    func attempt<Value: Sendable>(
        _ request: S3Request, signedAt: Timestamp? = nil, bytesExpected: Int64 = 0,
        _ body: (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        let start = ContinuousClock.now
        var outcome = "no-answer"
        defer {
            MetricsSystem.factory.increment(.s3Requests, request.operation.rawValue, outcome)
            MetricsSystem.factory.observe(.s3RequestSeconds, .now - start, request.operation.rawValue)
        }
        let bytes = bytesExpected + Int64(request.body?.readableBytes ?? 0)
        let seconds = 60 + bytes / Int64(Self.slowestBytesInASecond)
        let response = try await http.execute(
            await signed(request, at: signedAt ?? clock.now()), deadline: .now() + .seconds(seconds))
        outcome = "\(response.status.code)"
        guard (200...299).contains(response.status.code) else {
            let text = try await response.body.collect(upTo: Self.largestError)
            throw S3Failure(
                request.operation, status: Int(response.status.code), headers: response.headers,
                body: text.readableBytesView)
        }
        return try await body(response)
    }

    /// Runs `body` until it succeeds or there is no point in trying again.
    private func retrying<Value: Sendable>(
        _ operation: S3Request.Operation, backoff: S3Backoff, expecting expected: Set<Int>,
        _ body: () async throws -> Value
    ) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await body()
            } catch let failure as S3Failure where expected.contains(failure.status) {
                throw failure
            } catch {
                failures += 1
                try await pause(after: failures, because: error, operation, backoff: backoff)
            }
        }
    }

    /// Waits before the next attempt, or throws what the failure means when there is none.
    func pause(
        after failures: Int, because error: any Error, _ operation: S3Request.Operation, backoff: S3Backoff
    ) async throws {
        // A cancelled request ends with an error of the client's own.
        try Task.checkCancellation()
        if error is ServiceError || error is CancellationError { throw error }
        let failure = error as? S3Failure
        guard failure?.isTransient ?? true, failures < backoff.attempts else { throw await explained(error) }
        logger.debug(
            "Repeating a request to the store",
            metadata: ["s3.operation": "\(operation.rawValue)", "s3.failures": "\(failures)", "error": "\(error)"])
        MetricsSystem.factory.increment(.s3Retries, operation.rawValue)
        var generator = SystemRandomNumberGenerator()
        try await Task.sleep(
            for: backoff.pause(after: failures, asked: failure?.retryAfter, using: &generator))
    }

    /// What an error means for a person.
    func explained(_ error: any Error) async -> any Error {
        if let failure = error as? S3Failure {
            return ServiceError(failure, at: location, with: await credentials.current(), now: clock.now())
        }
        if error is ServiceError || error is CancellationError { return error }
        if error is NIOSSLError || error is BoringSSLError || (error as? NIOSSLExtraError) != nil {
            return ServiceError(
                .unavailable, "the store at \(location.authority) has a certificate that is not trusted",
                field: "blobs",
                rule: "s3-tls",
                nextStep: "Name its authority in --blobs with ca=FILE, or use the name that the certificate is for.",
                cause: error)
        }
        return ServiceError(
            .unavailable, "the store at \(location.authority) cannot be reached", field: "blobs",
            rule: "s3-unreachable",
            nextStep: "Check that the server runs, that this machine reaches it, and the endpoint in --blobs.",
            retryAfter: .seconds(5), cause: error)
    }

    private func signed(_ request: S3Request, at now: Timestamp) async -> HTTPClientRequest {
        let path = location.path(of: request.key)
        let signer = S3Signer(credentials: await credentials.current(), region: location.region)
        var url = "\(location.scheme)://\(location.authority)\(path)"
        if !request.query.isEmpty { url += "?" + S3Encoding.query(request.query) }
        var result = HTTPClientRequest(url: url)
        result.method = request.method
        for (name, value) in signer.headers(for: request, path: path, authority: location.authority, at: now) {
            result.headers.add(name: name, value: value)
        }
        if let body = request.body { result.body = .bytes(body) }
        return result
    }

    /// The address at which whoever has it may `GET` the object for a while.
    func presignedAddress(key: String, lifetime: Duration) async -> String {
        let path = location.path(of: key)
        let signer = S3Signer(credentials: await credentials.current(), region: location.region)
        let query = signer.presignedQuery(
            path: path, authority: location.authority, lifetime: lifetime, at: clock.now())
        return "\(location.scheme)://\(location.authority)\(path)?\(query)"
    }
}
