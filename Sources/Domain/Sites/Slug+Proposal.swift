extension Slug {
    /// Slugs for a site of this name, the most fitting first: `annas-bakery`, then `annas-bakery-2`, `annas-bakery-3` …
    package static func proposals(for name: String, count: Int) -> [Slug] {
        var base = PlannedPage.name(for: name.filter { $0 != "'" && $0 != "’" })
        if (try? Slug(base)) == nil { base += "-site" }
        return (1...max(1, count)).compactMap { number in
            let suffix = number == 1 ? "" : "-\(number)"
            var stem = String(base.prefix(40 - suffix.count))
            while stem.hasSuffix("-") { stem.removeLast() }
            return try? Slug(stem + suffix)
        }
    }
}
