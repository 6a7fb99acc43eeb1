import Foundation
import Testing

/// One starter site as it lies in the repository.
struct TemplateFolder: CustomTestStringConvertible, Sendable {
    let name: String
    let url: URL
    /// Relative to `site/`.
    let paths: [String]

    var pages: [String] { paths.filter { $0.hasSuffix(".html") } }
    var testDescription: String { name }

    static func all() throws -> [Self] {
        let folder = House.root.appending(path: "Sources/Coordinator/Resources/templates")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let url = folder.appending(path: name)
            let site = url.appending(path: "site")
            let paths = try FileManager.default.subpathsOfDirectory(atPath: site.path).filter { path in
                var isDirectory: ObjCBool = false
                let full = site.appending(path: path).path
                return FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory) && !isDirectory.boolValue
            }
            return Self(name: name, url: url, paths: paths.sorted())
        }
    }

    func text(_ path: String) throws -> String {
        try String(contentsOf: url.appending(path: "site/\(path)"), encoding: .utf8)
    }

    func size(_ path: String) throws -> Int { try Data(contentsOf: url.appending(path: "site/\(path)")).count }

    /// What a page, a style sheet or a picture refers to within the site.
    static func references(in text: String) -> [String] {
        let attributes = text.matches(of: /\b(?:href|src|srcset|action|poster|data)="([^"]*)"/).map { String($0.1) }
        let styles = text.matches(of: /url\(["']?([^)"']*)/).map { String($0.1) }
        return (attributes + styles).filter { !$0.hasPrefix("mailto:") && !$0.hasPrefix("tel:") }
    }

    /// Every `id` of a page, or of a picture.
    static func identifiers(in text: String) -> [String] { text.matches(of: /\sid="([^"]*)"/).map { String($0.1) } }

    /// Where the links of the page's navigation lead and what they say, such as `menu.html Menu`.
    static func navigation(in text: String) -> [String] {
        guard let list = text.firstMatch(of: /<nav[^>]*>([\s\S]*?)<\/nav>/) else { return [] }
        return list.1.matches(of: /<li><a href="\/?([^"]+)"[^>]*>([^<]+)<\/a><\/li>/).map { "\($0.1) \($0.2)" }
    }
}
