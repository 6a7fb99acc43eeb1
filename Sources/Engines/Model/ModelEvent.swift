import Domain
import FoundationEssentials

/// What the process of the engine says on its standard output, each a line of JSON.
enum ModelEvent: Sendable, Equatable {
    case progress(step: String, percent: Int)
    case log(String)
    /// Of all requests so far.
    case usage(TokenUsage)
    /// The last event of work that was done.
    case finished(summary: String)
    /// The last event of work that was not done; nothing was changed.
    case failed(JobFailure)

    private struct Line: Codable {
        var event: String
        var step: String?
        var percent: Int?
        var text: String?
        var uncached: Int?
        var cached: Int?
        var output: Int?
        var kind: String?
        var code: String?
    }

    var line: String {
        let line =
            switch self {
            case .progress(let step, let percent): Line(event: "progress", step: step, percent: percent)
            case .log(let text): Line(event: "log", text: text)
            case .usage(let usage):
                Line(
                    event: "usage", uncached: usage.uncachedInput, cached: usage.cachedInput, output: usage.output)
            case .finished(let summary): Line(event: "finished", text: summary)
            case .failed(let failure):
                Line(event: "failed", text: failure.message, kind: failure.kind.rawValue, code: failure.code)
            }
        return String(decoding: (try? JSONEncoder().encode(line)) ?? Data(), as: UTF8.self)
    }

    /// `nil` when it is no such line.
    init?(line text: String) {
        guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else { return nil }
        switch line.event {
        case "progress": self = .progress(step: (line.step ?? "").shown(limit: 200), percent: line.percent ?? 0)
        case "log": self = .log((line.text ?? "").shown(limit: 4000))
        case "usage":
            self = .usage(
                TokenUsage(
                    uncachedInput: max(0, line.uncached ?? 0), cachedInput: max(0, line.cached ?? 0),
                    output: max(0, line.output ?? 0)))
        case "finished": self = .finished(summary: (line.text ?? "").shown(limit: 200_000))
        case "failed":
            self = .failed(
                JobFailure(
                    kind: JobFailure.Kind(rawValue: line.kind ?? "") ?? .task,
                    code: (line.code ?? "engine-failed").shown(limit: 60),
                    message: (line.text ?? "").shown(limit: 2000)))
        default: return nil
        }
    }
}
