/// How heavy a page and a file should be at most, in bytes as they are stored.
package struct WeightBudget: Sendable, Equatable {
    /// A page with the images, scripts and style sheets of the site that it names.
    package var page: Int64
    /// A single image, script or style sheet.
    package var file: Int64
    package static let standard = WeightBudget(page: 5 << 20, file: 1 << 20)

    package init(page: Int64, file: Int64) {
        self.page = page
        self.file = file
    }

    /// Such as `5.2 MB`.
    static func text(_ bytes: Int64) -> String {
        if bytes < 1000 { return "\(bytes) bytes" }
        let (amount, unit) = bytes < 1_000_000 ? (bytes / 100, "kB") : (bytes / 100_000, "MB")
        return "\(amount / 10).\(amount % 10) \(unit)"
    }
}
