/// Watches what goes through the way of one task, and says when it may not go on.
package protocol EgressWitness: Sendable {
    /// Asked before each request. Refused is what has used up its tokens.
    func mayAsk() -> Bool

    /// The task asks again: what the answers before made it do is done. Comes before the question goes anywhere.
    func taskAsks() async

    /// A reader for a good answer that begins.
    ///
    /// - Parameter operation: the path that was asked for inside, without its query, such as `/v1/responses`.
    func answer(to operation: String, contentType: String) -> any EgressAnswerReader
}

/// Reads one answer on its way to the task.
package protocol EgressAnswerReader: Sendable {
    /// Comes before the task sees these bytes.
    mutating func read(_ bytes: [UInt8])

    /// All of the answer came; the task does not know that yet. Nothing is said about an answer that broke off.
    mutating func finish() async
}

/// Answers in the place of a model, from what one said earlier. Nobody outside is asked then.
package protocol EgressPlayback: Sendable {
    /// The task asks again: what the answers before made it do is done.
    func taskAsks() async

    /// The next answer to `operation`; `nil` when there is none left.
    func next(to operation: String) -> (contentType: String, body: [UInt8])?
}
