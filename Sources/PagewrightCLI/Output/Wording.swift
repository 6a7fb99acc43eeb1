import Foundation

/// How numbers and times are said.
enum Wording {
    /// `512 B`, `1.3 kB`, `24 MB`.
    static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = "B"
        for next in ["kB", "MB", "GB", "TB"] where value >= 999.5 {
            value /= 1000
            unit = next
        }
        if unit == "B" { return "\(bytes) B" }
        return (value < 9.95 ? String(format: "%.1f", value) : String(format: "%.0f", value)) + " " + unit
    }

    /// `1 file`, `3 files`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// `just now`, `5 min ago`, `3 h ago`, `12 days ago`; the text itself when it is no time.
    static func age(_ text: String?, now: Date = Date()) -> String {
        guard let text else { return "never" }
        guard let date = date(text) else { return text }
        let seconds = Int(now.timeIntervalSince(date))
        switch seconds {
        case ..<(-5): return "in \(span(-seconds))"
        case ..<10: return "just now"
        default: return "\(span(seconds)) ago"
        }
    }

    private static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<100: "\(seconds) s"
        case ..<5400: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// A time of RFC 3339, with or without fractions of a second.
    static func date(_ text: String) -> Date? {
        let whole = Date.ISO8601FormatStyle()
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (try? whole.parse(text)) ?? (try? fractional.parse(text))
    }
}
