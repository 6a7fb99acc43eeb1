/// What an answer of a model depends on. Two edits with the same key get the same answer, so the second need not ask.
package struct CacheKey: Sendable, Hashable {
    /// Raised whenever the engine's own instructions or tools change: then older answers are of no use.
    package static let instructions = "1"

    /// Fields that stand behind their length each, so that no two keys have the same text. To be hashed.
    package let canonicalText: String

    /// - Parameters:
    ///   - owner: of the site: what was said for one is never shown to another.
    ///   - instructions: of the engine itself, with its version.
    ///   - prompt: with what was said before in the conversation, when the engine is told that.
    ///   - context: the digest of the version that the edit starts from.
    package init(
        owner: UserID, engine: EngineName, model: String, instructions: String, prompt: String, context: ContentDigest
    ) {
        let fields = [
            "pagewright-cache-1", owner.text, engine.rawValue, model, instructions, Self.normalized(prompt),
            context.text,
        ]
        canonicalText = fields.map { "\($0.utf8.count):\($0)\n" }.joined()
    }

    /// The words of a prompt, whatever white space is between them.
    package static func normalized(_ prompt: String) -> String {
        prompt.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
