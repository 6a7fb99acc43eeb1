package import Domain

/// Pictures of two versions side by side, page by page and width by width, the start page first.
package struct VersionScreens: Sendable {
    /// A picture, and where it is.
    package struct Screen: Sendable, Equatable {
        package let picture: PagePicture
        /// The version that it was taken of.
        package let takenOf: VersionNumber
        /// The version whose address it has: the one that is compared, or another in which the page looks the same.
        package let holder: VersionNumber

        package init(picture: PagePicture, takenOf: VersionNumber, holder: VersionNumber) {
            self.picture = picture
            self.takenOf = takenOf
            self.holder = holder
        }
    }

    package struct Pair: Sendable {
        package let page: SitePath
        package let width: Int
        /// `nil` when there is no picture, or no such page.
        package let before: Screen?
        package let after: Screen?
        /// Whether each of the two versions has the page.
        package let isInBefore: Bool
        package let isInAfter: Bool
        /// Where they differ; `nil` when that is not known. Known between a version and the one that it was made from.
        package let changes: [PagePicture.Box]?

        package var isSame: Bool { before != nil && before?.picture.digest == after?.picture.digest }
    }

    package let before: Version
    package let after: Version
    package let pairs: [Pair]
    /// Pages that may look different and of which this side has no picture, although it has the page.
    package let absentBefore: [SitePath]
    package let absentAfter: [SitePath]
}

/// Puts pictures side by side.
struct ScreenPairing {
    let before: Version
    let after: Version
    /// Pages that may look different, and those of them that there should be pictures of.
    let differing: Set<SitePath>
    let pages: [SitePath]
    let isThereBefore: (SitePath) -> Bool
    let isThereAfter: (SitePath) -> Bool
    var old: [VersionScreens.Screen]
    var new: [VersionScreens.Screen]

    var screens: VersionScreens {
        // What looks the same is worth showing when there are both pictures.
        let both = Set(old.map(\.picture.page)).intersection(new.map(\.picture.page))
        let shown = (old + new).filter { $0.picture.kind == .page }.map(\.picture.page).filter {
            differing.contains($0) || both.contains($0)
        }
        let order = Set(shown + pages).sorted { left, right in
            (left.text == "index.html" ? 0 : 1, left.text) < (right.text == "index.html" ? 0 : 1, right.text)
        }
        return VersionScreens(
            before: before, after: after, pairs: order.flatMap { page in PagePicture.widths.map { pair(page, $0) } },
            absentBefore: pages.filter { isThereBefore($0) && !Self.has($0, in: old) },
            absentAfter: pages.filter { isThereAfter($0) && !Self.has($0, in: new) })
    }

    /// Whether there is a picture of the page at every width.
    static func has(_ page: SitePath, in screens: [VersionScreens.Screen]) -> Bool {
        PagePicture.widths.allSatisfy { find(page, $0, in: screens) != nil }
    }

    private static func find(
        _ page: SitePath, _ width: Int, in screens: [VersionScreens.Screen]
    ) -> VersionScreens.Screen? {
        screens.first { $0.picture.kind == .page && $0.picture.page == page && $0.picture.width == width }
    }

    private func pair(_ page: SitePath, _ width: Int) -> VersionScreens.Pair {
        let from = Self.find(page, width, in: old)
        let to = Self.find(page, width, in: new)
        let isSame = from != nil && from?.picture.digest == to?.picture.digest
        let isStep = after.parent == before.number
        return VersionScreens.Pair(
            page: page, width: width, before: from, after: to, isInBefore: isThereBefore(page),
            isInAfter: isThereAfter(page),
            changes: isSame ? [] : isStep && from != nil ? to?.picture.changes : nil)
    }
}
