/// What a browser saw of the pages that a version changed: which checks ran, what they found, and pictures.
package struct PageChecks: Sendable, Equatable {
    /// One thing that is looked for, and whether it could be.
    package struct Check: Sendable, Equatable {
        package enum Name: String, Sendable, CaseIterable {
            case console, requests, overflow, accessibility, screenshots, difference
        }

        package let name: Name
        /// Why it did not run, as part of a sentence; empty when it did.
        package let obstacle: String

        package init(_ name: Name, obstacle: String = "") {
            self.name = name
            self.obstacle = obstacle
        }
    }

    /// How many pages are looked at.
    package static let pageLimit = 12
    package static let findingLimit = 100
    /// Two for each page, and a thumbnail.
    package static let pictureLimit = 2 * pageLimit + 1
    /// How long a text of a finding or an obstacle may be, in bytes.
    package static let textLimit = 1000
    /// After this long nobody waits for a worker's report any more.
    package static let patience = Duration.seconds(900)
    /// What the browser's findings are called. They are advice, but for those of ``accessibilityRules`` that the version
    /// before did not have: these keep the version from going live until somebody accepts them.
    package static let rules: Set<String> = [
        "console-error", "request-failed", "request-foreign", "page-overflow", "accessibility-name",
        "viewport-missing", "heading-one", "id-twice",
    ]
    package static let accessibilityRules: Set<String> = [
        "accessibility-name", "viewport-missing", "heading-one", "id-twice",
    ]

    package var checks: [Check]
    package var findings: [Finding]
    package var pictures: [PagePicture]
    /// Of the version before, of pages that were compared with it.
    package var before: [PagePicture]

    package init(
        checks: [Check] = [], findings: [Finding] = [], pictures: [PagePicture] = [], before: [PagePicture] = []
    ) {
        self.checks = checks
        self.findings = findings
        self.pictures = pictures
        self.before = before
    }

    /// What says why nothing could be looked at.
    package static func impossible(because reason: String) -> PageChecks {
        PageChecks(checks: Check.Name.allCases.map { Check($0, obstacle: reason) })
    }

    /// What is wrong with this as a report about a version with these files; `nil` when nothing is. It comes out of a
    /// sandbox in which pages of strangers ran.
    ///
    /// - Parameter parent: the files of the version before; `nil` when there is none to compare with.
    package func flaw(in manifest: Manifest, since parent: Manifest? = nil) -> String? {
        if Set(checks.map(\.name)).count != checks.count { return "a check is in it twice" }
        if findings.count > Self.findingLimit { return "it has more than \(Self.findingLimit) findings" }
        for finding in findings {
            if !Self.rules.contains(finding.rule) { return "it has a finding of an unknown kind" }
            let isWorse = parent != nil && Self.accessibilityRules.contains(finding.rule)
            if finding.severity != .warning, !isWorse { return "a finding is no advice" }
            guard let path = try? SitePath(finding.path), manifest.entry(at: path) != nil else {
                return "a finding is about a page that the version does not have"
            }
        }
        if before.contains(where: { $0.kind != .page || $0.changes != nil }) {
            return "a picture of the version before is no plain one"
        }
        return Self.flaw(of: pictures, in: manifest) ?? parent.flatMap { Self.flaw(of: before, in: $0) }
            ?? (parent == nil && !before.isEmpty ? "there is no version before" : nil)
    }

    private static func flaw(of pictures: [PagePicture], in manifest: Manifest) -> String? {
        if pictures.count > Self.pictureLimit { return "it has more than \(Self.pictureLimit) pictures" }
        var seen: Set<String> = []
        for picture in pictures {
            if manifest.entry(at: picture.page) == nil {
                return "a picture is of a page that the version does not have"
            }
            if !seen.insert("\(picture.kind) \(picture.width) \(picture.page)").inserted {
                return "a picture is in it twice"
            }
            if picture.kind == .page, !PagePicture.widths.contains(picture.width) {
                return "a picture has another width"
            }
            guard picture.width <= PagePicture.widths.max() ?? 0,
                (1...PagePicture.heightLimit).contains(picture.height)
            else { return "a picture is too large" }
            if picture.sizeInBytes > PagePicture.sizeLimit { return "a picture has too many bytes" }
            if picture.changes?.count ?? 0 > PagePicture.boxLimit { return "a picture has too many boxes" }
        }
        if pictures.reduce(0, { $0 + $1.sizeInBytes }) > PagePicture.totalSizeLimit {
            return "its pictures have too many bytes"
        }
        return nil
    }
}

extension Manifest {
    /// Whether a page looks in `other` as it does here: it did not change, nor did anything that it may load.
    package func showsAlike(_ page: SitePath, as other: Manifest) -> Bool {
        guard let entry = entry(at: page), entry.digest == other.entry(at: page)?.digest else { return false }
        return entries.filter { !$0.path.isHTML } == other.entries.filter { !$0.path.isHTML }
    }
}

extension ManifestDelta {
    /// The pages that may look different now: those that changed first, and when something changed that others load, the
    /// others too, the start page before the rest.
    package func affectedPages(of manifest: Manifest) -> [SitePath] {
        var pages = upserts.map(\.path).filter(\.isHTML)
        if upserts.contains(where: { !$0.path.isHTML }) || !removals.isEmpty {
            let known = Set(pages)
            let others = manifest.entries.map(\.path).filter { $0.isHTML && !known.contains($0) }
            pages += others.filter { $0.text == "index.html" } + others.filter { $0.text != "index.html" }
        }
        return pages
    }
}
