import Foundation
import Testing
import Validation

@Suite("The published rules")
struct PublishedListTests {
    private static func document() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return String(decoding: try Data(contentsOf: root.appending(path: "docs/validation.md")), as: UTF8.self)
    }

    @Test("docs/validation.md has the kinds of files as they are")
    func fileTypes() throws {
        let document = try Self.document()
        for (purpose, extensions) in FileTypes.allowed {
            #expect(document.contains("| \(purpose) | \(extensions.joined(separator: " ")) |"))
        }
        for name in FileTypes.serverPrograms { #expect(document.contains("`.\(name)`"), "\(name)") }
    }

    @Test("docs/validation.md has every rule with its weight")
    func rules() throws {
        let document = try Self.document()
        for rule in ValidationRule.allCases { #expect(document.contains("`\(rule.rawValue)`"), "\(rule.rawValue)") }
    }
}
