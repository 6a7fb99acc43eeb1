import Coordinator
import Domain

/// The pictures of one version, page by page, the start page first.
enum Screens {
    /// A picture of a page, with the places that changed.
    struct Screen {
        let picture: PagePicture
        let url: String
        let takenOf: VersionNumber
        let version: VersionNumber
        /// Places to mark; `nil` when nothing is known of changes.
        var boxes: [PagePicture.Box]?

        var values: [String: Any] {
            var values: [String: Any] = [
                "url": url, "width": picture.width, "height": picture.height,
                "device": picture.width < 600 ? "on a phone" : "on a desktop", "isPhone": picture.width < 600,
                "label": "\(picture.page) at \(picture.width) pixels, version \(version)",
                "boxes": (boxes ?? []).map { box -> [String: Any] in
                    ["x": box.x, "y": box.y, "width": box.width, "height": box.height]
                },
                "isOlder": takenOf != version, "takenOf": takenOf.rawValue,
            ]
            if let boxes {
                let places = Wording.count(boxes.count, "place")
                values["change"] = boxes.isEmpty ? "looks as before" : "\(places) changed"
            }
            return values
        }
    }

    static func pages(of view: PageCheckService.View) -> [(page: String, screens: [Screen])] {
        let pictures = view.pictures.filter { $0.picture.kind == .page }
        let paths = Set(pictures.map(\.picture.page)).sorted { left, right in
            (left.text == "index.html" ? 0 : 1, left.text) < (right.text == "index.html" ? 0 : 1, right.text)
        }
        return paths.map { path in
            let screens = pictures.filter { $0.picture.page == path }.sorted { $0.picture.width < $1.picture.width }
            return (
                path.text,
                screens.map { taken in
                    Screen(
                        picture: taken.picture,
                        url: "\(CheckPages.path(of: view))/screenshots/\(taken.picture.digest)",
                        takenOf: taken.takenOf, version: view.version.number, boxes: taken.picture.changes)
                }
            )
        }
    }

    /// Pictures of both versions side by side: what one of them lacks is left empty.
    static func pairs(_ screens: VersionScreens, site: String) -> [[String: Any]] {
        screens.pairs.enumerated().map { index, pair in
            let isPhone = pair.width < 600
            var row: [String: Any] = [
                "id": "screens-\(index + 1)", "page": pair.page.text, "isPhone": isPhone,
                "device": isPhone ? "on a phone" : "on a desktop", "isSame": pair.isSame,
                "isUnknown": pair.before != nil && pair.after != nil && pair.changes == nil,
                "isInOld": pair.isInBefore, "isInNew": pair.isInAfter, "from": screens.before.number.rawValue,
                "to": screens.after.number.rawValue,
            ]
            for (side, version, shown) in [
                ("old", screens.before.number, pair.before), ("new", screens.after.number, pair.after),
            ] {
                guard let shown else { continue }
                let screen = Screen(
                    picture: shown.picture,
                    url: "/sites/\(site)/versions/\(shown.holder)/screenshots/\(shown.picture.digest)",
                    takenOf: shown.takenOf, version: version, boxes: pair.changes)
                row[side] = screen.values.merging(["named": version.rawValue]) { $1 }
            }
            if !pair.isSame, let changes = pair.changes {
                row["change"] = "\(Wording.count(changes.count, "place")) changed"
            }
            return row
        }
    }
}
