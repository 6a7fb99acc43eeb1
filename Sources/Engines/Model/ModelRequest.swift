import Domain
import FoundationEssentials

/// What the process of the engine is told on its standard input.
struct ModelRequest: Sendable, Equatable, Codable {
    var provider: String
    var model: String
    var prompt: String
    /// JSON; then an answer of this shape is wanted and no change.
    var schema: String?
    /// How many tokens may be used in all.
    var tokenBudget: Int?
    /// How long the model may be silent, in milliseconds.
    var silence: Int64
    /// Whether a transcript is followed instead of asking a model.
    var isReplay: Bool
    /// Where the model answers, where the transcript is written and where the one to follow is, inside the sandbox.
    var socket = "/run/model/model.sock"
    var state = "/state"

    static let limit = 1 << 20
    static let transcriptName = "transcript.jsonl"
    static let replayName = "replay.jsonl"

    var transcriptPath: String { state + "/" + Self.transcriptName }
    var replayPath: String { state + "/" + Self.replayName }

    var serialized: [UInt8] {
        Array((try? JSONEncoder().encode(self)) ?? Data())
    }

    init(
        provider: ModelEndpoint.Provider, model: String, prompt: String, schema: String? = nil,
        tokenBudget: Int? = nil, silence: Duration = .seconds(120), isReplay: Bool = false
    ) {
        self.provider = provider.rawValue
        self.model = model
        self.prompt = prompt
        self.schema = schema
        self.tokenBudget = tokenBudget
        self.silence = silence.wholeMilliseconds
        self.isReplay = isReplay
    }

    init?(serialized bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = value
    }
}
