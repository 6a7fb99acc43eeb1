import Domain

/// The two ways in which S3 writes a time.
enum S3Time {
    /// `Sat, 21 Nov 2026 15:48:50 GMT`, as in HTTP's headers.
    static func parsed(http text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), let time = secondOfDay(parts[4])
        else { return nil }
        return timestamp(year, month + 1, day, time)
    }

    /// `2026-11-21T15:48:50.000Z`, as in listings; the fraction is dropped.
    static func parsed(iso text: String) -> Timestamp? {
        let halves = text.split(separator: "T")
        guard halves.count == 2 else { return nil }
        let date = halves[0].split(separator: "-").map { Int($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2],
            let time = secondOfDay(halves[1].prefix(8))
        else { return nil }
        return timestamp(year, month, day, time)
    }

    private static func secondOfDay(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":").map { Int($0) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// After Howard Hinnant's `days_from_civil`.
    private static func timestamp(_ year: Int, _ month: Int, _ day: Int, _ second: Int) -> Timestamp? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Timestamp(millisecondsSinceEpoch: Int64(days * 86_400 + second) * 1000)
    }
}
