import Domain

/// What a model said once, in no provider's words.
struct ModelReply: Sendable, Equatable, Codable {
    struct Call: Sendable, Equatable, Codable {
        let id: String
        let name: String
        /// JSON, as the model wrote it.
        let arguments: String
    }

    enum Ending: String, Sendable, Codable {
        case complete
        /// It reached the longest answer that is allowed.
        case cutOff
        case refused
    }

    struct Usage: Sendable, Equatable, Codable {
        var uncachedInput = 0
        var cachedInput = 0
        var output = 0

        var tokens: TokenUsage {
            TokenUsage(
                uncachedInput: max(0, uncachedInput), cachedInput: max(0, cachedInput), output: max(0, output))
        }
    }

    var text = ""
    var calls: [Call] = []
    var usage = Usage()
    var ending = Ending.complete
}

/// What was said so far, and what a model is told about itself.
struct ModelTalk: Sendable {
    struct Exchange: Sendable {
        let reply: ModelReply
        /// One for each call of the reply, in their order.
        let results: [ModelToolResult]
    }

    let model: String
    let instructions: String
    let prompt: String
    /// Structured output: the answer is one JSON value of this schema, and there are no tools.
    let schema: JSONNode?
    var exchanges: [Exchange] = []
}

/// How one provider wants to be asked, and how its answers read.
protocol ModelDialect: Sendable {
    /// The path of the operation, inside of the sandbox.
    var target: String { get }
    var headers: [(name: String, value: String)] { get }
    func body(of talk: ModelTalk) -> JSONNode
    func makeReader() -> any ModelReplyReader
}

/// Puts a reply together from the events of a stream.
protocol ModelReplyReader {
    mutating func read(_ event: ServerSentEvent) throws(ModelFailure)
    /// Whether nothing more is to come.
    var isComplete: Bool { get }
    var reply: ModelReply { get }
}

/// The dialects, by what the provider is.
enum ModelDialects {
    /// The only key that is ever inside. Whatever answers on the model's socket puts the real one in its place.
    static let key = "dummy"

    static func dialect(for provider: ModelEndpoint.Provider) -> any ModelDialect {
        switch provider {
        case .openAIResponses: ResponsesDialect()
        case .openAIChat: ChatDialect()
        case .anthropicMessages: MessagesDialect()
        }
    }
}
