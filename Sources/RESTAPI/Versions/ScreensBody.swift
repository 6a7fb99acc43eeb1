import Coordinator
import Domain

/// Pictures of two versions side by side.
enum ScreensBody {
    private struct Shown {
        let site: String
        let screen: VersionScreens.Screen
    }

    private static let screen = ObjectBody<Shown>(
        "ComparedScreenshot",
        [
            .init("width", .count) { .count($0.screen.picture.width) },
            .init("height", .count) { .count($0.screen.picture.height) },
            .init("media_type", .words(PagePicture.Format.allCases.map(\.mediaType))) {
                .string($0.screen.picture.format.mediaType)
            },
            .init("sha256", .text) { .string($0.screen.picture.digest.text) },
            .init("size_bytes", .count) { .integer($0.screen.picture.sizeInBytes) },
            .init("version", .version, "Whose picture it is: another one's when the page looks the same there.") {
                .version($0.screen.holder)
            },
            .init("taken_of", .version, "The version that the browser was shown.") { .version($0.screen.takenOf) },
            .init("url", .text, "Where its bytes are.") {
                let digest = $0.screen.picture.digest
                return .string("/api/v1/sites/\($0.site)/versions/\($0.screen.holder)/screenshots/\(digest)")
            },
        ])

    private struct Row {
        let site: String
        let pair: VersionScreens.Pair
    }

    private static let pair = ObjectBody<Row>(
        "ScreenPair",
        [
            .init("page", .text) { .string($0.pair.page.text) },
            .init("width", .count, "Of the screen, in pixels.") { .count($0.pair.width) },
            .init("before", .nullable(screen.schema), "Null without a picture, or without such a page.") { row in
                .optional(row.pair.before) { screen.json(Shown(site: row.site, screen: $0)) }
            },
            .init("after", .nullable(screen.schema)) { row in
                .optional(row.pair.after) { screen.json(Shown(site: row.site, screen: $0)) }
            },
            .init("in_before", .boolean, "Whether the older version has the page.") { .boolean($0.pair.isInBefore) },
            .init("in_after", .boolean) { .boolean($0.pair.isInAfter) },
            .init("same", .boolean, "Both are the same picture.") { .boolean($0.pair.isSame) },
            .init(
                "changes", .nullable(.array(PageChecksBody.box.schema)),
                "Where they differ; null when that is not known, as of versions that are no step apart."
            ) { .optional($0.pair.changes) { .array($0.map(PageChecksBody.box.json)) } },
        ])

    static let table = ObjectBody<(site: String, screens: VersionScreens)>(
        "Screens",
        [
            .init("pairs", .array(pair.schema), "The start page first; a row for each page and width.") { value in
                .array(value.screens.pairs.map { pair.json(Row(site: value.site, pair: $0)) })
            },
            .init(
                "absent_before", .array(.text),
                "Pages that may look different and of which the older version has no picture; POST …/checks takes them."
            ) { .array($0.screens.absentBefore.map { .string($0.text) }) },
            .init("absent_after", .array(.text), "The same of the newer version.") {
                .array($0.screens.absentAfter.map { .string($0.text) })
            },
        ])
}
