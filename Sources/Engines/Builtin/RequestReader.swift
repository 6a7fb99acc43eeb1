/// Reads the requests of a prompt by fixed patterns.
struct RequestReader {
    /// Sentences with more words are taken as one request: cutting them up in all ways would take too long.
    private static let wordLimit = 200

    /// Where the rest of a sentence begins and which verb stands before it, when it is known to be no request.
    private struct Dead: Hashable {
        let start: Int
        let verb: String?
    }

    /// All requests, in order; throws for the first sentence that is none.
    static func requests(in prompt: String) throws(BuiltinRefusal) -> [BuiltinRequest] {
        var all: [BuiltinRequest] = []
        for sentence in PromptWords.sentences(of: prompt) {
            let words = withoutCourtesies(sentence[...])
            if words.isEmpty { continue }
            var dead = Set<Dead>()
            guard let found = try requests(in: words, verb: nil, &dead) else {
                throw .notUnderstood(sentence.map { $0.quotation?.quoted ?? $0.raw }.joined(separator: " "))
            }
            all += found
        }
        guard !all.isEmpty else { throw BuiltinRefusal(BuiltinRefusal.capabilities) }
        guard all.count <= 50 else {
            throw BuiltinRefusal("These are more than 50 requests. Please send fewer at a time.")
        }
        return all
    }

    /// Several requests with `and` between them when each part is one, otherwise the whole as one.
    private static func requests(
        in words: ArraySlice<PromptWord>, verb: PromptWord?, _ dead: inout Set<Dead>
    ) throws(BuiltinRefusal) -> [BuiltinRequest]? {
        let here = Dead(start: words.startIndex, verb: verb?.key)
        guard !dead.contains(here) else { return nil }
        do {
            if let found = try splitRequests(in: words, verb: verb, &dead) { return found }
        } catch {
            dead.insert(here)
            throw error
        }
        dead.insert(here)
        return nil
    }

    private static func splitRequests(
        in words: ArraySlice<PromptWord>, verb: PromptWord?, _ dead: inout Set<Dead>
    ) throws(BuiltinRefusal) -> [BuiltinRequest]? {
        guard words.count <= wordLimit else { return try request(in: words, verb: verb).map { [$0] } }
        for index in words.indices where index > words.startIndex {
            let isJoint = words[index].key == "and" || words[index].key == "then"
            let left = words[..<index]
            let right = withoutCourtesies(words[(isJoint ? index + 1 : index)...])
            guard isJoint || left.last?.hasComma == true, !right.isEmpty,
                let first = try? request(in: left, verb: verb),
                let rest = try? requests(
                    in: right, verb: left.first.flatMap { $0.quotation == nil ? $0 : nil } ?? verb, &dead)
            else { continue }
            return [first] + rest
        }
        return try request(in: words, verb: verb).map { [$0] }
    }

    /// One request; when it has no verb of its own, that of the one before it is tried.
    private static func request(
        in words: ArraySlice<PromptWord>, verb: PromptWord?
    ) throws(BuiltinRefusal) -> BuiltinRequest? {
        if let found = try RequestPattern.request(in: words) { return found }
        guard let verb else { return nil }
        return try RequestPattern.request(in: ([verb] + words)[...])
    }

    private static let openings: [[String]] = [
        ["please"], ["can", "you"], ["could", "you"], ["would", "you"], ["will", "you"], ["i", "want", "you", "to"],
        ["i", "want", "to"],
        ["i", "would", "like", "you", "to"], ["i", "would", "like", "to"], ["i'd", "like", "you", "to"],
        ["i'd", "like", "to"],
        ["i’d", "like", "to"], ["i’d", "like", "you", "to"], ["we", "want", "to"], ["we", "would", "like", "to"],
        ["let's"], ["let’s"], ["lets"],
        ["now"], ["then"], ["also"], ["and"], ["next"], ["first"], ["finally"], ["just"], ["kindly"], ["hi"], ["hello"],
        ["hey"], ["ok"],
    ]
    private static let endings: [[String]] = [["please"], ["thanks"], ["thank", "you"], ["for", "me"], ["instead"]]

    private static func withoutCourtesies(_ words: ArraySlice<PromptWord>) -> ArraySlice<PromptWord> {
        var words = words
        while let phrase = openings.first(where: { words.prefix($0.count).map(\.key).elementsEqual($0) }) {
            words = words.dropFirst(phrase.count)
        }
        while let phrase = endings.first(where: { words.suffix($0.count).map(\.key).elementsEqual($0) }) {
            words = words.dropLast(phrase.count)
        }
        return words
    }
}
