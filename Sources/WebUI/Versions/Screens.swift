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
        let pictures = (view.checks?.pictures ?? []).filter { $0.picture.kind == .page }
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

    /// Pictures of both versions side by side: what one of them lacks is left empty. Places are marked when the older one
    /// is what the newer one was made from.
    static func pairs(_ before: PageCheckService.View, _ after: PageCheckService.View) -> [[String: Any]] {
        let old = pages(of: before)
        let new = pages(of: after)
        let isStep = after.version.parent == before.version.number
        var paths = new.map(\.page)
        paths += old.map(\.page).filter { !paths.contains($0) }
        var rows: [[String: Any]] = []
        for path in paths {
            let left = old.first { $0.page == path }?.screens ?? []
            let right = new.first { $0.page == path }?.screens ?? []
            for width in PagePicture.widths {
                var from = left.first { $0.picture.width == width }
                var to = right.first { $0.picture.width == width }
                guard from != nil || to != nil else { continue }
                let isSame = from?.picture.digest == to?.picture.digest && from != nil
                let boxes = isSame ? [] : isStep ? to?.boxes : nil
                from?.boxes = boxes
                to?.boxes = boxes
                var row: [String: Any] = [
                    "id": "screens-\(rows.count + 1)", "page": path, "isPhone": width < 600,
                    "device": width < 600 ? "on a phone" : "on a desktop", "isSame": isSame,
                    "isUnknown": !isSame && from != nil && to != nil && boxes == nil,
                ]
                for (side, screen) in [("old", from), ("new", to)] {
                    if let screen { row[side] = screen.values.merging(["named": screen.version.rawValue]) { $1 } }
                }
                if !isSame, let boxes, from != nil {
                    row["change"] = "\(Wording.count(boxes.count, "place")) changed"
                }
                rows.append(row)
            }
        }
        return rows
    }
}
