import Coordinator
import Domain

/// What a browser saw of a version.
enum PageChecksBody {
    private static let check = ObjectBody<PageChecks.Check>(
        "PageCheck",
        [
            .init("name", .words(PageChecks.Check.Name.allCases.map(\.rawValue))) { .string($0.name.rawValue) },
            .init("ran", .boolean, "On every page that was to be looked at.") { .boolean($0.obstacle.isEmpty) },
            .init("obstacle", .text, "Why it did not; empty when it ran.") { .string($0.obstacle) },
        ])

    static let box = ObjectBody<PagePicture.Box>(
        "Box",
        [
            .init("x", .count, "In pixels of the picture.") { .count($0.x) },
            .init("y", .count) { .count($0.y) },
            .init("width", .count) { .count($0.width) },
            .init("height", .count) { .count($0.height) },
        ])

    private struct Shown {
        let site: SiteID
        let version: VersionNumber
        let taken: VersionChecks.Picture
    }

    private static let picture = ObjectBody<Shown>(
        "Screenshot",
        [
            .init("page", .text) { .string($0.taken.picture.page.text) },
            .init("kind", .words(PagePicture.Kind.allCases.map(\.rawValue))) {
                .string($0.taken.picture.kind.rawValue)
            },
            .init("width", .count, "In pixels; of a page that of the screen.") { .count($0.taken.picture.width) },
            .init("height", .count, "Of the top of the page; what is below 4,000 pixels is left out.") {
                .count($0.taken.picture.height)
            },
            .init("media_type", .words(PagePicture.Format.allCases.map(\.mediaType))) {
                .string($0.taken.picture.format.mediaType)
            },
            .init("sha256", .text) { .string($0.taken.picture.digest.text) },
            .init("size_bytes", .count) { .integer($0.taken.picture.sizeInBytes) },
            .init("url", .text, "Where its bytes are.") {
                let digest = $0.taken.picture.digest
                return .string("/api/v1/sites/\($0.site)/versions/\($0.version)/screenshots/\(digest)")
            },
            .init("taken_of", .version, "An older version when the page did not change since.") {
                .version($0.taken.takenOf)
            },
            .init(
                "changes", .nullable(.array(box.schema)),
                "Where it differs from the parent; null when the parent has no such page."
            ) { .optional($0.taken.picture.changes) { .array($0.map(box.json)) } },
        ])

    private static func state(_ view: PageCheckService.View) -> String {
        switch view.checks?.state {
        case nil: "none"
        case .waiting: "waiting"
        case .done: "done"
        }
    }

    static let table = ObjectBody<PageCheckService.View>(
        "PageChecks",
        [
            .init("version", .version) { .version($0.version.number) },
            .init(
                "state", .words(["none", "waiting", "done"]),
                "None when no browser was asked to look at this version. Waiting while one looks."
            ) { .string(state($0)) },
            .init("finished_at", .nullable(.time)) {
                if case .done(let end) = $0.checks?.state { .time(end) } else { .null }
            },
            .init("checks", .array(check.schema)) { .array(($0.checks?.checks ?? []).map(check.json)) },
            .init("findings", .array(FindingBody.table.schema), "Also among those of the version.") {
                .array($0.findings.map(FindingBody.table.json))
            },
            .init("screenshots", .array(picture.schema)) { view in
                .array(
                    view.pictures.map {
                        picture.json(Shown(site: view.site.id, version: view.version.number, taken: $0))
                    })
            },
        ])
}
