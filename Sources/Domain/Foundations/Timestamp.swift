/// A point in wall-clock time, to the millisecond. The domain never asks for the time; it is passed in.
package struct Timestamp: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let millisecondsSinceEpoch: Int64

    package init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = millisecondsSinceEpoch
    }

    package init(from decoder: any Decoder) throws {
        millisecondsSinceEpoch = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(millisecondsSinceEpoch)
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
    }

    package static func + (left: Self, right: Duration) -> Self {
        Self(millisecondsSinceEpoch: left.millisecondsSinceEpoch + right.wholeMilliseconds)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.millisecondsSinceEpoch - right.millisecondsSinceEpoch)
    }

    /// RFC 3339 in UTC, to the millisecond: `2026-11-21T03:47:00.123Z`.
    package var description: String {
        let milliseconds = Int(((millisecondsSinceEpoch % 1000) + 1000) % 1000)
        let seconds = (millisecondsSinceEpoch - Int64(milliseconds)) / 1000
        let secondOfDay = Int(((seconds % 86_400) + 86_400) % 86_400)
        let (year, month, day) = Self.civilDate(daysSinceEpoch: Int((seconds - Int64(secondOfDay)) / 86_400))
        guard (0...9999).contains(year) else {
            return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2) + "T"
                + Self.padded(secondOfDay / 3600, 2) + ":" + Self.padded(secondOfDay / 60 % 60, 2) + ":"
                + Self.padded(secondOfDay % 60, 2) + "." + Self.padded(milliseconds, 3) + "Z"
        }
        // Answers are full of these.
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var end = 0
            func write(_ value: Int, _ width: Int, then mark: UInt8) {
                var rest = value
                for place in stride(from: end + width - 1, through: end, by: -1) {
                    bytes[place] = UInt8(0x30 + rest % 10)
                    rest /= 10
                }
                bytes[end + width] = mark
                end += width + 1
            }
            write(year, 4, then: 0x2d)
            write(month, 2, then: 0x2d)
            write(day, 2, then: 0x54)
            write(secondOfDay / 3600, 2, then: 0x3a)
            write(secondOfDay / 60 % 60, 2, then: 0x3a)
            write(secondOfDay % 60, 2, then: 0x2e)
            write(milliseconds, 3, then: 0x5a)
            return end
        }
    }

    /// The proleptic Gregorian date, after Howard Hinnant's `civil_from_days`.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = daysSinceEpoch + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Duration {
    /// This duration in milliseconds, the fraction dropped.
    package var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
