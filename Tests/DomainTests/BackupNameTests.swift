import Domain
import Testing

/// Names of backups, and which are too old.
@Suite struct BackupNameTests {
    private static func name(_ day: Int) -> BackupName {
        BackupName(at: Timestamp(millisecondsSinceEpoch: 1_800_000_000_000) + .seconds(Int64(day) * 86_400), mark: 7)
    }

    @Test("A name says when the backup was begun, and reads back")
    func readsBack() throws {
        let now = try #require(Timestamp("2026-11-21T19:05:06.789Z"))
        let name = BackupName(at: now, mark: 0xabcdef)
        #expect(name.text == "pagewright-20261121T190506Z-abcdef.pwb")
        #expect(BackupName(name.text) == name)
        #expect(name.at == Timestamp("2026-11-21T19:05:06Z"))
    }

    @Test(
        "Other files are no backups",
        arguments: [
            "", "pagewright-.pwb", "pagewright-20261121T190506Z-abcdeg.pwb", "pagewright-20261321T190506Z-abcdef.pwb",
            "x-20261121T190506Z-abcdef.pwb", "pagewright-20261121T190506Z-abcdef.pwb.part000001",
        ])
    func others(text: String) { #expect(BackupName(text) == nil) }

    @Test("What is older than the days goes, and the newest stays whatever its age")
    func expired() {
        let now = Self.name(40).at
        let names = [0, 5, 9, 11, 39].map(Self.name)
        #expect(BackupName.expired(among: names.shuffled(), olderThan: 30, at: now) == names.prefix(3).map(\.self))
        #expect(BackupName.expired(among: [Self.name(0)], olderThan: 30, at: now).isEmpty)
    }

    @Test(
        "A time reads back as it is written, in any form of RFC 3339",
        arguments: [
            ("2026-11-21T03:47:00.123Z", "2026-11-21T03:47:00.123Z"),
            ("2026-11-21T03:47:00Z", "2026-11-21T03:47:00.000Z"),
            ("2026-11-21T05:47:00+02:00", "2026-11-21T03:47:00.000Z"),
            ("2024-02-29T23:59:59.5-00:30", "2024-03-01T00:29:59.500Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ])
    func times(text: String, same: String) { #expect(Timestamp(text)?.description == same) }

    @Test(
        "What is no time is none",
        arguments: [
            "", "tomorrow", "2026-13-01T00:00:00Z", "2026-11-21 03:47", "2026-11-21T03:47:00",
            "2026-11-21T03:47:00+2:00",
        ])
    func noTimes(text: String) { #expect(Timestamp(text) == nil) }
}
