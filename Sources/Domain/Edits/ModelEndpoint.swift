/// Where a model answers, and with what credential. It travels with a job's offer, is kept in memory only, and its
/// credential never enters a sandbox: the broker outside adds it.
package struct ModelEndpoint: Sendable, Hashable {
    /// The protocol that is spoken there.
    package enum Provider: String, Sendable, CaseIterable {
        case openAIResponses = "openai-responses"
        /// What other vendors and local servers offer as compatible with OpenAI.
        case openAIChat = "openai-chat"
        case anthropicMessages = "anthropic-messages"

        /// Where the vendor itself answers.
        package var usualBaseURL: String {
            switch self {
            case .openAIResponses, .openAIChat: "https://api.openai.com/v1"
            case .anthropicMessages: "https://api.anthropic.com/v1"
            }
        }

        /// The header that carries the key.
        package var authorizationName: String {
            switch self {
            case .openAIResponses, .openAIChat: "authorization"
            case .anthropicMessages: "x-api-key"
            }
        }

        package func authorizationValue(key: String) -> String {
            switch self {
            case .openAIResponses, .openAIChat: "Bearer \(key)"
            case .anthropicMessages: key
            }
        }

        /// The operations that an engine may use; the rest of the provider's API is closed to it. Inside a sandbox each
        /// is asked for at `/v1/` and its name.
        package var operations: [String] {
            switch self {
            case .openAIResponses: ["responses"]
            case .openAIChat: ["chat/completions"]
            case .anthropicMessages: ["messages", "messages/count_tokens"]
            }
        }
    }

    /// Stands for a credential where it may not be, as on a disk.
    package static let withheld = "(withheld)"

    package let provider: Provider
    /// What stands before the name of an operation, such as `https://api.openai.com/v1`; no slash at its end.
    package let baseURL: String
    /// The header that the broker adds; lower case.
    package let authorizationName: String
    package let authorizationValue: String

    package init(provider: Provider, baseURL: String, authorizationName: String, authorizationValue: String) {
        self.provider = provider
        self.baseURL = baseURL
        self.authorizationName = authorizationName
        self.authorizationValue = authorizationValue
    }

    /// Whether there is a credential that is not here.
    package var isWithheld: Bool { authorizationValue == Self.withheld }

    /// The same with another credential.
    package func with(authorizationValue value: String) -> ModelEndpoint {
        ModelEndpoint(
            provider: provider, baseURL: baseURL, authorizationName: authorizationName, authorizationValue: value)
    }

    /// The address outside for a path that was asked for inside, such as `/v1/responses`; `nil` for what may not be
    /// asked for. A query stays behind.
    package func address(forPath path: String) -> String? {
        let plain = path.prefix { $0 != "?" }
        guard plain.hasPrefix("/v1/") else { return nil }
        let operation = plain.dropFirst(4)
        guard provider.operations.contains(String(operation)) else { return nil }
        return "\(baseURL)/\(operation)"
    }

    /// The address of a provider as an admin writes it: `https://`, or `http://` for a machine of one's own; a host, a
    /// port if need be, a path; nothing else.
    package static func checkedBaseURL(_ text: String) throws(ServiceError) -> String {
        var url = text.trimmed
        while url.hasSuffix("/") { url.removeLast() }
        let rest = url.hasPrefix("https://") ? url.dropFirst(8) : url.hasPrefix("http://") ? url.dropFirst(7) : ""
        let host = rest.prefix { $0 != "/" }
        let isPlain = rest.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2f, 0x3a, 0x5b, 0x5d, 0x5f, 0x7e: true
            default: false
            }
        }
        guard !host.isEmpty, isPlain, !rest.contains(".."), url.utf8.count <= 300 else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(80))\" is not the address of a model's API", field: "base_url",
                rule: "base-url", nextStep: "Write it like https://api.openai.com/v1.")
        }
        return url
    }
}

/// Whatever prints one, a log or a test that failed, never prints the credential.
extension ModelEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(provider.rawValue) at \(baseURL)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["provider": provider.rawValue, "baseURL": baseURL]) }
}
