/// Ends work that goes in circles: the same error twice is one time too often.
///
/// Two errors are the same when they differ in numbers, white space and quotation marks at most.
package struct LoopBreaker: Sendable, Equatable {
    private static let longest = 300
    /// As many are remembered; a loop that is longer is ended by the limit of turns.
    private static let memory = 64

    private var seen: [String]

    package init(seen: [String] = []) { self.seen = seen.suffix(Self.memory) }

    /// Takes an error; returns whether it was there before.
    package mutating func notes(_ error: String) -> Bool {
        let mark = Self.mark(of: error)
        if seen.contains(mark) { return true }
        seen.append(mark)
        if seen.count > Self.memory { seen.removeFirst() }
        return false
    }

    /// What is left of an error when what differs by chance is taken away.
    package static func mark(of error: String) -> String {
        var text = ""
        for character in error.lowercased() {
            if character.isNumber {
                if text.last != "#" { text.append("#") }
            } else if character.isWhitespace {
                if text.last != " " { text.append(" ") }
            } else if character != "\"", character != "'", character != "`" {
                text.append(character)
            }
            if text.count >= longest { break }
        }
        return text
    }
}

extension JobFailure {
    /// What the breaker compares between attempts.
    package var mark: String { LoopBreaker.mark(of: code + " " + message) }

    /// Whether the same failure again says that another attempt is in vain. A host that went away, a disk that was
    /// full or a model that was busy says nothing about the work itself: for these the number of attempts is limited.
    package var isLoopWhenRepeated: Bool {
        switch code {
        case Self.expiryCode, Self.superseded.code, "interrupted", "disk-full", "host-memory", "cancel-timeout",
            "unlocked", "blobs-missing",
            "blob-damaged", "sandbox-failed", "worker-failed", "engine-not-started", "model-unavailable":
            false
        default: !code.hasPrefix("worker-")
        }
    }

    /// The end of a job that failed twice in the same way.
    package var asLoop: JobFailure {
        JobFailure(
            kind: .task, code: "same-error-twice",
            message: "It failed twice in the same way and was stopped, so that it costs nothing more: \(message)")
    }
}
