import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
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

        func admitted(
            _ body: JSONBody = .empty, _ upload: StoredUpload? = nil, keyed: KeyedRequest? = nil
        ) -> APIRequest {
            APIRequest(
                request: request, context: context, caller: caller, parameters: parameters, query: query, body: body,
                upload: upload, address: context.clientAddress, keyed: keyed, status: route.status)
        }

        switch route.input {
        case .none:
            return try await once(request, caller, digest: { IdempotencyService.digest(of: []) }) { keyed in
                try await answer(admitted(keyed: keyed))
            }
        case .json(let schema, let limit):
            let bytes = try await Self.collect(request, context, limit: limit)
            let body = try JSONBody(bytes, schema: schema)
            return try await once(request, caller, digest: { IdempotencyService.digest(of: bytes) }) { keyed in
                try await answer(admitted(body, keyed: keyed))
            }
        case .archive:
            try await route.admit(admitted())
            let length = Self.length(of: request)
            return try await uploads.withUpload(
                of: request.body, length: length, begin: { try await context.expectBody(of: request) }
            ) { upload in
                try await once(request, caller, digest: { upload.digest }) { keyed in
                    try await answer(admitted(.empty, upload, keyed: keyed))
                }
            }
        }
    }

    private static let keyHeader = HTTPField.Name("Idempotency-Key")!

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
        let caller = try await accounts.authenticate(String(parts[1]))
        var isForAdmins = false
        if case .admin = route.access { isForAdmins = true }
        try caller.requireScope(toChange: route.method != .get, asAdmin: isForAdmins)
        return caller
    }

    private static func length(of request: Request) -> Int64? {
        request.headers[.contentLength].flatMap { Int64($0) }
    }

    private static func collect(_ request: Request, _ context: RESTRequestContext, limit: Int) async throws -> [UInt8] {
        let refusal = ServiceError(
            .payloadTooLarge, "the body is larger than \(limit / 1024) KiB", rule: "body-size")
        if let length = length(of: request), length > limit { throw refusal }
        try await context.expectBody(of: request)
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard bytes.count + piece.readableBytes <= limit else { throw refusal }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    /// Runs `work`, or gives again the answer that the same key got before.
    private func once(
        _ request: Request, _ caller: AuthenticatedCaller?, digest: () -> ContentDigest,
        _ work: (KeyedRequest?) async throws -> Response
    ) async throws -> Response {
        guard let caller, route.isRepeatable, let key = request.headers[Self.keyHeader] else {
            return try await work(nil)
        }
        let operation = "\(route.method.rawValue) \(request.uri.string)"
        switch try await idempotency.recall(key, of: operation, body: digest(), for: caller.principal) {
        case .known(let answer):
            return Self.response(answer)
        case .new(let keyed):
            do {
                return try await work(keyed)
            } catch let repeated as RepeatedRequest {
                return Self.response(repeated.answer)
            }
        }
    }

    private static func response(_ answer: KeptAnswer) -> Response {
        var headers: HTTPFields = [.cacheControl: "no-store"]
        if let type = answer.contentType { headers[.contentType] = type }
        if let name = HTTPField.Name("Idempotent-Replayed") { headers[name] = "true" }
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: headers,
            body: answer.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
