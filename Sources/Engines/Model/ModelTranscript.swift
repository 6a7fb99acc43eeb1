import Crypto
import Domain
import FoundationEssentials
import Glibc

/// What was said between the engine and a model, reply after reply. Each stands beside a mark of all that the model was
/// told before it, so that a replay notices when it would have been told something else.
struct ModelTranscript {
    private struct Entry: Codable {
        let mark: String
        let reply: ModelReply
    }

    private var lines: [String] = []
    private var size = 0

    /// The replies of a transcript that is to be followed; `nil` when it is not one.
    static func replies(in bytes: [UInt8]) -> [(mark: String, reply: ModelReply)]? {
        var replies: [(mark: String, reply: ModelReply)] = []
        for line in bytes.split(separator: 0x0a) {
            guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) else { return nil }
            replies.append((entry.mark, entry.reply))
        }
        return replies
    }

    mutating func append(_ reply: ModelReply, after mark: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Entry(mark: mark, reply: reply)) else { return }
        lines.append(String(decoding: data, as: UTF8.self))
        size += data.count + 1
    }

    /// Empty when it is too long to be kept.
    var bytes: [UInt8] {
        size > JobCompletion.transcriptLimit ? [] : Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// The mark of what a model is told. White space between the words of the prompt does not matter.
    static func mark(of talk: ModelTalk) -> String {
        var hash = SHA256()
        func add(_ text: String) { hash.update(data: Data("\(text.utf8.count):\(text)\n".utf8)) }
        add(CacheKey.instructions)
        add(talk.model)
        add(talk.instructions)
        add(talk.schema?.serialized ?? "")
        add(CacheKey.normalized(talk.prompt))
        for exchange in talk.exchanges {
            add(exchange.reply.text)
            for call in exchange.reply.calls { add("\(call.id) \(call.name) \(call.arguments)") }
            for result in exchange.results { add(result.text) }
        }
        return Hexadecimal.text(of: Array(hash.finalize()))
    }
}
