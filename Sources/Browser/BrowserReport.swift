import FoundationEssentials

/// What a browser saw of a site. It comes out of a sandbox and is only shown.
package struct BrowserReport: Sendable, Equatable, Codable {
    /// One thing that was looked for, and whether it could be.
    package struct Check: Sendable, Equatable, Codable {
        package enum Name: String, Sendable, Codable, CaseIterable {
            case console, requests, overflow, accessibility, screenshots, difference
        }

        package let name: Name
        /// Why it did not run, or not on all pages; `nil` when it did.
        package let obstacle: String?

        package init(_ name: Name, obstacle: String? = nil) {
            self.name = name
            self.obstacle = obstacle
        }
    }

    /// Something that is wrong.
    package struct Problem: Sendable, Hashable, Codable {
        /// Such as `console-error`, `request-failed`, `page-overflow`, `accessibility-name`.
        package let rule: String
        package let page: String
        package let subject: String
        package let message: String
        /// Of the accessibility: whether the page of the version before had less of it, or none.
        package var isWorse = false

        package init(rule: String, page: String, subject: String, message: String) {
            self.rule = rule
            self.page = page
            self.subject = subject
            self.message = message
        }
    }

    /// A place of a picture, in CSS pixels.
    package struct Box: Sendable, Equatable, Codable {
        package let x: Int
        package let y: Int
        package let width: Int
        package let height: Int

        package init(x: Int, y: Int, width: Int, height: Int) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// A picture of a page, in a file of the folder that the checker was given.
    package struct Screenshot: Sendable, Equatable, Codable {
        package enum Kind: String, Sendable, Codable { case page, thumbnail }

        package let page: String
        package let kind: Kind
        package let width: Int
        package let height: Int
        package let file: String
        /// Where it differs from the version before; `nil` when that was not looked at or has no such page.
        package let changes: [Box]?

        package init(page: String, kind: Kind = .page, width: Int, height: Int, file: String, changes: [Box]?) {
            self.page = page
            self.kind = kind
            self.width = width
            self.height = height
            self.file = file
            self.changes = changes
        }
    }

    package var checks: [Check]
    package var problems: [Problem]
    package var screenshots: [Screenshot]
    /// Of the version before, of pages that were compared with it.
    package var before: [Screenshot]

    package init(
        checks: [Check] = [], problems: [Problem] = [], screenshots: [Screenshot] = [], before: [Screenshot] = []
    ) {
        self.checks = checks
        self.problems = problems
        self.screenshots = screenshots
        self.before = before
    }

    /// A report that says why nothing ran.
    package static func impossible(because reason: String) -> BrowserReport {
        BrowserReport(checks: Check.Name.allCases.map { Check($0, obstacle: reason) })
    }
}

/// What a page checker is to look at, as JSON on its standard input.
package struct BrowserRequest: Sendable, Equatable, Codable {
    package static let widths = [375, 1280]
    package static let pageLimit = 12
    /// In bytes, of one picture and of all.
    package static let pictureLimit = 2 << 20
    package static let picturesLimit = 16 << 20

    /// Chromium itself.
    package let program: String
    /// The files of the site, and of the version before it if there is one.
    package let folder: String
    package let parent: String?
    /// An empty folder for pictures.
    package let pictures: String
    /// Paths of pages; only the first ``pageLimit`` are looked at.
    package let pages: [String]
    /// The page that a thumbnail is taken of; `nil` for none.
    package let start: String?
    package let secondsForAll: Int

    package init(
        program: String, folder: String, parent: String?, pictures: String, pages: [String], start: String? = nil,
        secondsForAll: Int = 90
    ) {
        self.program = program
        self.folder = folder
        self.parent = parent
        self.pictures = pictures
        self.pages = pages
        self.start = start
        self.secondsForAll = secondsForAll
    }
}

extension BrowserRequest {
    /// As the page checker reads it.
    package func serialized() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }
}

extension BrowserReport {
    /// Reads what a page checker printed; `nil` when it is something else, or too much.
    package init?(line: String) {
        guard let report = try? JSONDecoder().decode(BrowserReport.self, from: Data(line.utf8)),
            report.problems.count <= 200, report.screenshots.count <= 4 * BrowserRequest.pageLimit,
            report.before.count <= 4 * BrowserRequest.pageLimit
        else { return nil }
        self = report
    }

    /// As JSON.
    package var text: String? { (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } }
}
