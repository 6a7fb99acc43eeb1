/// How heavy a page and a file should be at most, in bytes as they are stored.
package struct WeightBudget: Sendable, Equatable {
    /// A page with the images, scripts and style sheets of the site that it names.
    package var page: Int64
    /// A single image, script or style sheet.
    package var file: Int64
    /// How much heavier a page or a file may become unasked, when that is more than half of what it was.
    package var growth: Int64
    package static let standard = WeightBudget(page: 5 << 20, file: 1 << 20)

    package init(page: Int64, file: Int64, growth: Int64 = 512 << 10) {
        self.page = page
        self.file = file
        self.growth = growth
    }

    func isMuchMore(_ new: Int64, than old: Int64) -> Bool { new - old > max(growth, old / 2) }

    /// Such as `5.2 MB`.
    static func text(_ bytes: Int64) -> String {
        if bytes < 1000 { return "\(bytes) bytes" }
        let (amount, unit) = bytes < 1_000_000 ? (bytes / 100, "kB") : (bytes / 100_000, "MB")
        return "\(amount / 10).\(amount % 10) \(unit)"
    }
}
