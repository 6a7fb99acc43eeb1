package import Domain

/// What became of one file of the workspace between an answer of the model and the next question.
package struct StepEffect: Sendable, Equatable, Codable {
    package let path: String
    /// What it is then; `nil` when it is gone.
    package let digest: ContentDigest?
    /// The content, of a short text; otherwise it has to be had elsewhere.
    package var text: String?

    package init(path: String, digest: ContentDigest?, text: String? = nil) {
        self.path = path
        self.digest = digest
        self.text = text
    }

    private enum Key: String, CodingKey { case path = "p", digest = "d", text = "t" }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let word = try container.decode(String.self, forKey: .digest)
        let digest = ContentDigest(word)
        guard digest != nil || word.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .digest, in: container, debugDescription: "no digest")
        }
        self.init(
            path: try container.decode(String.self, forKey: .path), digest: digest,
            text: try container.decodeIfPresent(String.self, forKey: .text))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(path, forKey: .path)
        try container.encode(digest?.text ?? "", forKey: .digest)
        try container.encodeIfPresent(text, forKey: .text)
    }

    /// About how many bytes of a transcript it takes.
    package var size: Int { path.utf8.count + 80 + (text?.utf8.count ?? 0) }
}
