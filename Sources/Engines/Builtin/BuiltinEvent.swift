import FoundationEssentials

/// What the built-in editor says while it works. Each is one line of JSON on the standard output of its process.
package enum BuiltinEvent: Sendable, Equatable {
    /// `percent` is from 0 to 100.
    case progress(step: String, percent: Int)
    /// The last event of a request that was carried out.
    case finished(summary: String)
    /// The last event of a request that was not understood or cannot be carried out; nothing was changed.
    case refused(message: String)

    private struct Line: Encodable {
        var event: String
        var step: String?
        var percent: Int?
        var summary: String?
        var message: String?
    }

    /// One line of JSON, without the line's end.
    package var line: String {
        let line =
            switch self {
            case .progress(let step, let percent): Line(event: "progress", step: step, percent: percent)
            case .finished(let summary): Line(event: "finished", summary: summary)
            case .refused(let message): Line(event: "refused", message: message)
            }
        let data = (try? JSONEncoder().encode(line)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
