package import Domain

/// One answer of a model as it is kept for a replay.
package struct RecordedAnswer: Sendable, Equatable, Codable {
    /// Its place among the answers of a task, from 0.
    package let number: Int
    /// What was asked for, such as `/v1/responses`.
    package let operation: String
    package let contentType: String
    /// All that a client needs to do the same once more. What only shows an answer grow is not in it.
    package let body: String
    package let usage: TokenUsage
    /// What became of files until the next question; `nil` when nobody looked.
    package var effects: [StepEffect]?

    package init(
        number: Int, operation: String, contentType: String, body: String, usage: TokenUsage,
        effects: [StepEffect]? = nil
    ) {
        self.number = number
        self.operation = operation
        self.contentType = contentType
        self.body = body
        self.usage = usage
        self.effects = effects
    }

    private enum Key: String, CodingKey { case number = "n", operation, type, body, uncached, cached, output, effects }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(
            number: try container.decode(Int.self, forKey: .number),
            operation: try container.decode(String.self, forKey: .operation),
            contentType: try container.decode(String.self, forKey: .type),
            body: try container.decode(String.self, forKey: .body),
            usage: TokenUsage(
                uncachedInput: try container.decode(Int.self, forKey: .uncached),
                cachedInput: try container.decode(Int.self, forKey: .cached),
                output: try container.decode(Int.self, forKey: .output)),
            effects: try container.decodeIfPresent([StepEffect].self, forKey: .effects))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(number, forKey: .number)
        try container.encode(operation, forKey: .operation)
        try container.encode(contentType, forKey: .type)
        try container.encode(body, forKey: .body)
        try container.encode(usage.uncachedInput, forKey: .uncached)
        try container.encode(usage.cachedInput, forKey: .cached)
        try container.encode(usage.output, forKey: .output)
        try container.encodeIfPresent(effects, forKey: .effects)
    }

    /// The same, saying what files became only by their digests.
    var withoutContents: RecordedAnswer {
        var answer = self
        answer.effects = effects?.map { StepEffect(path: $0.path, digest: $0.digest) }
        return answer
    }
}
