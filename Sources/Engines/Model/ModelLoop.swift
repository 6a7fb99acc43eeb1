import Domain

/// Asks a model, does what it calls, and asks again, until it says that it is done. Every loop here has an end: of turns,
/// of tokens, of the length of what is said, and of errors that come twice.
struct ModelLoop {
    /// How often a model is asked for one edit.
    static let turnLimit = 60
    /// How many calls of one reply are carried out.
    static let callLimit = 32
    /// Of all that is said, in bytes; no model takes more.
    static let talkLimit = 4 << 20

    let request: ModelRequest
    /// Gives the model's answer to all that was said; the mark is of that.
    let ask: (ModelTalk, _ mark: String) throws -> ModelReply
    let emit: (ModelEvent) -> Void

    /// Carries the request out in `folder`; nothing is written there when it throws.
    ///
    /// - Returns: what the model says that it did; with a schema, its answer.
    func run(in folder: String, transcript: inout ModelTranscript) throws -> String {
        var toolbox = try ModelToolbox(folder: folder)
        let schema = try request.schema.map { text in
            guard let schema = JSONNode(parsing: text) else { throw ModelFailure.garbage("a schema that is not JSON") }
            return schema
        }
        var talk = ModelTalk(
            model: request.model, instructions: schema == nil ? HouseRules.toolText : HouseRules.answerText,
            prompt: request.prompt, schema: schema)
        var breaker = LoopBreaker()
        var used = TokenUsage.zero
        var size = request.prompt.utf8.count
        for turn in 0..<Self.turnLimit {
            if let budget = request.tokenBudget, used.total >= budget { throw ModelFailure(.modelBudget) }
            guard size < Self.talkLimit else { throw ModelFailure(.modelContext) }
            emit(.progress(step: turn == 0 ? "Asking the model" : "The model works", percent: Self.percent(turn)))
            let mark = ModelTranscript.mark(of: talk)
            let reply = try ask(talk, mark)
            transcript.append(reply, after: mark)
            // What a transcript says was paid for long ago.
            if !request.isReplay { used = used + reply.usage.tokens }
            emit(.usage(used))
            switch reply.ending {
            case .complete: break
            case .cutOff: throw ModelFailure(.modelIncomplete)
            case .refused: throw ModelFailure(.modelRefused(saying: reply.text.shown(limit: 500)))
            }
            if schema != nil { return try Self.answer(in: reply) }
            if !reply.text.isEmpty { emit(.log(reply.text)) }
            guard !reply.calls.isEmpty else {
                guard !reply.text.isEmpty else { throw ModelFailure.garbage("it is empty") }
                try toolbox.commit()
                return reply.text
            }
            var results: [ModelToolResult] = []
            for (index, call) in reply.calls.enumerated() {
                if call.name == ModelTool.finish, index < Self.callLimit {
                    try toolbox.commit()
                    return JSONNode(parsing: call.arguments)?["summary"]?.string ?? reply.text
                }
                let result =
                    index < Self.callLimit ? toolbox.run(call) : .error("too many calls at once; make it again")
                results.append(result)
                size += result.text.utf8.count + call.arguments.utf8.count
                emit(.progress(step: ModelToolbox.step(of: call), percent: Self.percent(turn)))
                emit(.log(result.isError ? "\(call.name): \(result.text)" : ModelToolbox.step(of: call)))
                if result.isError, breaker.notes("\(call.name) \(result.text)") {
                    throw ModelFailure(
                        JobFailure(
                            kind: .task, code: "model-loop",
                            message: "The model made the same mistake twice and was stopped: \(result.text)"))
                }
            }
            size += reply.text.utf8.count
            talk.exchanges.append(.init(reply: reply, results: results))
        }
        throw ModelFailure(.modelTurns)
    }

    /// How many turns there will be is unknown: each takes a part of what is left.
    private static func percent(_ turn: Int) -> Int { 95 - 90 * 6 / (6 + turn) }

    /// The structured answer, as text or as the arguments of a call.
    private static func answer(in reply: ModelReply) throws -> String {
        let text = reply.calls.first?.arguments ?? reply.text
        guard let value = JSONNode(parsing: text) else { throw ModelFailure.garbage("an answer that is not JSON") }
        return value.serialized
    }
}
