import AsyncHTTPClient
import Coordinator
import Domain
import NIOCore
import NIOHTTP1

/// Asks a model for one word over HTTP.
struct HTTPModelProbe: ModelProbe {

    func ask(_ access: ModelAccess) async throws {
        let endpoint = access.endpoint
        let (operation, body) = Self.request(endpoint.provider, model: access.model)
        var request = HTTPClientRequest(url: "\(endpoint.baseURL)/\(operation)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        if !endpoint.authorizationValue.isEmpty {
            request.headers.add(name: endpoint.authorizationName, value: endpoint.authorizationValue)
        }
        if endpoint.provider == .anthropicMessages {
            request.headers.add(name: "anthropic-version", value: "2023-06-01")
        }
        request.body = .bytes(ByteBuffer(string: body))
        let response: HTTPClientResponse
        do {
            // Redirects would carry the key elsewhere.
            response = try await Self.client.execute(
                request, timeout: .nanoseconds(access.answerTimeout.wholeMilliseconds * 1_000_000))
        } catch {
            throw ServiceError(.unavailable, "\(endpoint.baseURL) cannot be reached: \(Self.reason(error))")
        }
        // The rest is not waited for: the limit of time is over with the head.
        if response.status.code == 200 { return }
        let why =
            switch response.status.code {
            case 401, 403: "it refuses the key"
            case 404: "it does not know the model or the address"
            case 429: "it is asked too often, or its quota is used up"
            default: "it answers with the status \(response.status.code)"
            }
        throw ServiceError(.unavailable, why)
    }

    /// The names of models were checked: they need no escaping.
    private static func request(_ provider: ModelEndpoint.Provider, model: String) -> (operation: String, body: String)
    {
        switch provider {
        case .openAIResponses:
            (
                "responses",
                #"{"model":"\#(model)","input":"Say OK.","max_output_tokens":16,"store":false}"#
            )
        case .openAIChat:
            ("chat/completions", #"{"model":"\#(model)","messages":[{"role":"user","content":"Say OK."}]}"#)
        case .anthropicMessages:
            ("messages", #"{"model":"\#(model)","max_tokens":16,"messages":[{"role":"user","content":"Say OK."}]}"#)
        }
    }

    private static func reason(_ error: any Error) -> String {
        // Such an error names addresses at most, never headers.
        String(String(describing: error).prefix(200))
    }

    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
}
