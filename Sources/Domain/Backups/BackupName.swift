/// The name of a backup: `pagewright-20261121T190000Z-<6 hex>.pwb`. Names sort by the time at which it was begun.
package struct BackupName: Sendable, Hashable, Comparable, CustomStringConvertible {
    private static let prefix = "pagewright-"
    private static let suffix = ".pwb"

    package let text: String
    package let at: Timestamp

    package init(at now: Timestamp, mark: UInt32) {
        let digits = Hexadecimal.text(of: [UInt8(mark >> 16 & 255), UInt8(mark >> 8 & 255), UInt8(mark & 255)])
        let time = now.description.filter { $0 != "-" && $0 != ":" }.prefix(15)
        text = "\(Self.prefix)\(time)Z-\(digits)\(Self.suffix)"
        at = Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch / 1000 * 1000)
    }

    /// `nil` for every other file.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.hasSuffix(Self.suffix) else { return nil }
        let body = text.dropFirst(Self.prefix.count).dropLast(Self.suffix.count).utf8.map { $0 }
        guard body.count == 23, body[8] == 0x54, body[15] == 0x5a, body[16] == 0x2d,
            body.suffix(6).allSatisfy({ Hexadecimal.value(of: $0) != nil })
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: body[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        let days = Timestamp.daysSinceEpoch(year: year, month: month, day: day)
        at = Timestamp(
            millisecondsSinceEpoch: Int64(days * 86_400 + hour * 3600 + minute * 60 + second) * 1000)
        self.text = text
    }

    package static func < (left: Self, right: Self) -> Bool { (left.at, left.text) < (right.at, right.text) }
    package var description: String { text }

    /// Those of `names` that are older than `days`; the newest one is never among them.
    package static func expired(among names: [BackupName], olderThan days: Int, at now: Timestamp) -> [BackupName] {
        let sorted = names.sorted()
        return sorted.dropLast().filter { now - $0.at > .seconds(Int64(days) * 86_400) }
    }
}
