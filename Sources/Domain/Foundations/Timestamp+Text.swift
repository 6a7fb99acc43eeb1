extension Timestamp {
    /// Reads RFC 3339 such as `2026-11-21T03:47:00Z`, with a fraction or an offset or without; `nil` for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54 || bytes[10] == 0x20,
            bytes[13] == 0x3a, bytes[16] == 0x3a
        else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int(String(decoding: bytes[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        var rest = bytes[19...]
        var milliseconds = 0
        if rest.first == 0x2e {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count + 1)
            let three = (digits.map { Int($0) - 0x30 } + [0, 0]).prefix(3)
            milliseconds = three.reduce(0) { $0 * 10 + $1 }
        }
        var offset = 0
        switch rest.first {
        case 0x5a where rest.count == 1, 0x7a where rest.count == 1: break
        case 0x2b, 0x2d:
            let start = rest.startIndex
            guard rest.count == 6, rest[start + 3] == 0x3a, let hours = number(start + 1..<start + 3),
                let minutes = number(start + 4..<start + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (rest.first == 0x2b ? 60 : -60)
        default: return nil
        }
        let days = Self.daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(millisecondsSinceEpoch: Int64(seconds) * 1000 + Int64(milliseconds))
    }

    /// After Howard Hinnant's `days_from_civil`.
    static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
