import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Lets requests of one route in: log-in, query, body, idempotency, in this order; then the handler decides.
struct APIEndpoint: HTTPResponder {
    let route: APIRoute
    let accounts: AccountService
    let idempotency: IdempotencyService
    let uploads: UploadStore
    let recovery: RecoveryService

    func respond(to request: Request, context: RESTRequestContext) async throws -> Response {
        context.coreContext.endpointPath.value = route.path
        guard let parameters = route.match(request.uri.path) else {
            throw ServiceError(.invalidArgument, "the address is not encoded properly", rule: "path-encoding")
        }
        let caller = try await authenticate(request)
        let query = try QueryParameters(request.uri, allowed: route.query)
        if !route.worksInRecovery { try recovery.requireInactive() }

        func admitted(_ body: JSONBody = .empty, _ upload: StoredUpload? = nil) -> APIRequest {
            APIRequest(
                request: request, context: context, caller: caller, parameters: parameters, query: query, body: body,
                upload: upload, address: context.clientAddress)
        }

        switch route.input {
        case .none:
            return try await once(request, caller, digest: { IdempotencyService.digest(of: []) }, context) {
                try await answer(admitted())
            }
        case .json(let schema, let limit):
            let bytes = try await Self.collect(request, limit: limit)
            let body = try JSONBody(bytes, schema: schema)
            return try await once(request, caller, digest: { IdempotencyService.digest(of: bytes) }, context) {
                try await answer(admitted(body))
            }
        case .archive:
            try await route.admit(admitted())
            return try await uploads.withUpload(of: request.body, length: Self.length(of: request)) { upload in
                try await once(request, caller, digest: { upload.digest }, context) {
                    try await answer(admitted(.empty, upload))
                }
            }
        }
    }

    private func answer(_ request: APIRequest) async throws -> Response {
        try await route.handle(request).response(status: route.status)
    }

    private func authenticate(_ request: Request) async throws -> AuthenticatedCaller? {
        if case .anyone = route.access { return nil }
        guard let header = request.headers[.authorization] else {
            throw ServiceError(
                .unauthenticated, "this needs a log-in", rule: "authorization",
                nextStep: "Log in and send the header Authorization: Bearer <access_token>.")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw ServiceError(
                .unauthenticated, "the header Authorization is not of the form Bearer <access_token>",
                rule: "authorization")
        }
        return try await accounts.authenticate(String(parts[1]))
    }

    private static func length(of request: Request) -> Int64? {
        request.headers[.contentLength].flatMap { Int64($0) }
    }

    private static func collect(_ request: Request, limit: Int) async throws -> [UInt8] {
        let refusal = ServiceError(
            .payloadTooLarge, "the body is larger than \(limit / 1024) KiB", rule: "body-size")
        if let length = length(of: request), length > limit { throw refusal }
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard bytes.count + piece.readableBytes <= limit else { throw refusal }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    /// Runs `work`, or gives again the answer that it gave to the same key before.
    private func once(
        _ request: Request, _ caller: AuthenticatedCaller?, digest: () -> ContentDigest,
        _ context: RESTRequestContext, _ work: () async throws -> Response
    ) async throws -> Response {
        guard let caller, route.isRepeatable, let name = HTTPField.Name("Idempotency-Key"),
            let key = request.headers[name]
        else { return try await work() }
        let operation = "\(route.method.rawValue) \(request.uri.string)"
        switch try await idempotency.begin(key, of: operation, body: digest(), for: caller.principal) {
        case .replay(let answer):
            return Self.response(answer)
        case .proceed(let claim):
            let response: Response
            do {
                response = try await work()
            } catch {
                do {
                    try await idempotency.abandon(claim)
                } catch let other {
                    context.logger.warning("Could not free an idempotency key", metadata: ["error": "\(other)"])
                }
                throw error
            }
            let (answer, copy) = try await Self.record(response)
            do {
                try await idempotency.finish(claim, with: answer)
            } catch {
                // The work is done and the caller gets its answer; only a repetition would have to wait.
                context.logger.warning("Could not keep an answer", metadata: ["error": "\(error)"])
            }
            return copy
        }
    }

    private static func record(_ response: Response) async throws -> (IdempotencyService.Answer, Response) {
        let recorder = BodyRecorder()
        try await response.body.write(recorder)
        let bytes = recorder.bytes
        var copy = response
        copy.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        return (
            IdempotencyService.Answer(
                status: response.status.code, contentType: response.headers[.contentType], body: bytes), copy
        )
    }

    private static func response(_ answer: IdempotencyService.Answer) -> Response {
        var headers: HTTPFields = [.cacheControl: "no-store"]
        if let type = answer.contentType { headers[.contentType] = type }
        if let name = HTTPField.Name("Idempotent-Replayed") { headers[name] = "true" }
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: headers,
            body: answer.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
