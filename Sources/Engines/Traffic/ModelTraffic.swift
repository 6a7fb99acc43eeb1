import Domain
import FoundationEssentials

/// What a model said to a command-line program, answer after answer: a line of JSON for each.
package struct ModelTraffic: Sendable, Equatable {
    /// In the order in which they were asked for.
    package let answers: [RecordedAnswer]

    package init(answers: [RecordedAnswer]) { self.answers = answers.sorted { $0.number < $1.number } }

    /// `nil` when it is not one.
    package init?(serialized bytes: [UInt8]) {
        var answers: [RecordedAnswer] = []
        for line in bytes.split(separator: 0x0a) {
            guard let answer = try? JSONDecoder().decode(RecordedAnswer.self, from: Data(line)) else { return nil }
            answers.append(answer)
        }
        guard !answers.isEmpty else { return nil }
        self.init(answers: answers)
    }

    /// A last line that was cut off, because its writer was killed, does not count.
    package init(left bytes: [UInt8]) {
        let whole = bytes.lastIndex(of: 0x0a).map { bytes[...$0] } ?? []
        self = ModelTraffic(serialized: Array(whole)) ?? ModelTraffic(answers: [])
    }

    package static func line(_ answer: RecordedAnswer) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(answer) else { return [] }
        return Array(data) + [0x0a]
    }

    /// Empty when it is too long to be kept. Contents of files go first: most of them are in the version too.
    package var serialized: [UInt8] {
        let whole = answers.flatMap(Self.line)
        if whole.count <= JobCompletion.transcriptLimit { return whole }
        let bytes = answers.map(\.withoutContents).flatMap(Self.line)
        return bytes.count > JobCompletion.transcriptLimit ? [] : bytes
    }
}
