import Domain
import Markup

/// Says which pages and files of a change became heavier than they should be, or much heavier than they were unasked.
struct WeightReview {
    private static let heavyKinds: Set<String> = [
        "png", "apng", "jpg", "jpeg", "gif", "webp", "avif", "svg", "bmp", "tif", "tiff", "js", "mjs", "css",
    ]

    let request: RequestWords
    let budget: WeightBudget
    let manifest: Manifest
    let parent: Manifest
    let newIndex: SiteIndex
    let oldIndex: SiteIndex

    /// What is to be said of an image, a script or a style sheet, whichever pages load it.
    func finding(ofFile path: SitePath) -> Finding? {
        let old = parent.entry(at: path)?.sizeInBytes ?? 0
        let new = manifest.entry(at: path)?.sizeInBytes ?? 0
        guard Self.heavyKinds.contains(path.fileExtension), new > old else { return nil }
        if old > 0, budget.isMuchMore(new, than: old), !request.speaksOfMedia, !request.mentions(path.name) {
            return GuardRule.fileHeavier.finding(
                at: path.text,
                "The file \"\(path)\" grew from \(WeightBudget.text(old)) to \(WeightBudget.text(new)), and the request did not speak of it.",
                before: WeightBudget.text(old), after: WeightBudget.text(new))
        }
        guard new > budget.file else { return nil }
        return GuardRule.fileHeavy.finding(
            at: path.text,
            "The file \"\(path)\" has \(WeightBudget.text(new)); files of its kind should have \(WeightBudget.text(budget.file)) at most.",
            before: old == 0 ? "" : WeightBudget.text(old), after: WeightBudget.text(new))
    }

    /// What is to be said of a page with everything of this site that it loads.
    ///
    /// - Parameters:
    ///   - before: `nil` of a new page.
    ///   - homeBefore: what new pages are modelled on: one may be as heavy.
    func finding(
        ofPage path: SitePath, before: FileSurvey?, after: FileSurvey, homeBefore: FileSurvey?
    ) -> Finding? {
        let weight = Self.weight(of: path, after, newIndex, manifest)
        let old = before.map { Self.weight(of: path, $0, oldIndex, parent) }
        if weight > budget.page {
            var limit = old ?? 0
            if before == nil, let homeBefore, let home = try? SitePath("index.html") {
                limit = Self.weight(of: home, homeBefore, oldIndex, parent)
            }
            guard weight > limit + limit / 50 else { return nil }
            return GuardRule.pageHeavy.finding(
                at: path.text,
                "The page \"\(path)\" loads \(WeightBudget.text(weight)) with its pictures and scripts; it should be \(WeightBudget.text(budget.page)) at most, and not more than before.",
                before: limit == 0 ? "" : WeightBudget.text(limit), after: WeightBudget.text(weight))
        }
        guard let old, budget.isMuchMore(weight, than: old), !request.speaksOfMedia else { return nil }
        return GuardRule.pageHeavier.finding(
            at: path.text,
            "The page \"\(path)\" loads \(WeightBudget.text(weight)) now and loaded \(WeightBudget.text(old)) before, and the request did not speak of pictures, videos or scripts.",
            before: WeightBudget.text(old), after: WeightBudget.text(weight))
    }

    private static func weight(
        of page: SitePath, _ survey: FileSurvey, _ index: SiteIndex, _ manifest: Manifest
    ) -> Int64 {
        survey.assets.reduce(manifest.entry(at: page)?.sizeInBytes ?? 0) { sum, target in
            guard let file = index.file(for: target), let path = try? SitePath(file),
                let entry = manifest.entry(at: path)
            else { return sum }
            return sum + entry.sizeInBytes
        }
    }
}
