import Domain

/// How values are written for people.
enum Wording {
    /// `1 file`, `2 files`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// `912 B`, `1.4 KB`, `23 MB`.
    static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = "B"
        for next in ["KB", "MB", "GB", "TB"] where value >= 1000 {
            value /= 1000
            unit = next
        }
        guard unit != "B", value < 10 else { return "\(Int(value.rounded())) \(unit)" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// `1.4 KB → 1.6 KB`, or one of them when both are written alike.
    static func change(from before: Int64, to after: Int64) -> String {
        let (old, new) = (size(before), size(after))
        return old == new ? new : "\(old) → \(new)"
    }

    /// `{iso, text}` for `<time>`: in UTC to the minute; the script makes it relative.
    static func time(_ instant: Timestamp) -> [String: Any] {
        let iso = instant.description
        return ["iso": iso, "text": String(iso.prefix(16)).replacing("T", with: " ") + " UTC"]
    }

    /// Begins with a capital and ends with a full stop.
    static func sentence(_ message: String) -> String {
        let text = message.prefix(1).uppercased() + message.dropFirst()
        return text.hasSuffix(".") || text.hasSuffix("…") ? text : text + "."
    }
}
