/// A duration as operators write it: `30s`, `15m`, `24h`, `7d`; a bare number is seconds.
enum TimeSpan {
    /// `nil` for anything else.
    static func parsed(_ text: String) -> Duration? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        let number = unit == nil ? text[...] : text.dropLast()
        guard let value = Int64(number), (0...1_000_000_000).contains(value) else { return nil }
        return .seconds(value * (unit ?? 1))
    }
}
