import Domain
import Foundation
import TestSupport
import Testing
import Validation

@testable import Engines

@Suite("The built-in editor does what it is asked to, and nothing else", .serialized)
struct BuiltinGuardTests {
    private static let templates = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Coordinator/Resources/templates")

    private static let requests = [
        "Change the headline to \"Fish & chips\"", "Change the headline on about.html to \"Who we are\"",
        "Change the title to \"Ours\"", "Change the accent colour to rebeccapurple",
        "Add a page called \"Opening hours\"",
        "Add a page called \"Jobs\" saying \"We look for bakers. Write to us.\"",
        "Add a section called \"News\" saying \"We have moved.\"", "Remove the section \"News\"",
        "Remove the page \"Opening hours\"", "Delete about.html",
    ]

    private static func manifest(_ files: [String: Data]) throws -> Manifest {
        try Manifest(
            files.map { path, data in
                var bytes = [UInt8](repeating: 0, count: 32)
                for (index, byte) in data.enumerated() {
                    bytes[index % 32] = bytes[index % 32] &* 31 &+ byte &+ UInt8(truncatingIfNeeded: index)
                }
                return Manifest.Entry(
                    path: try SitePath(path), sizeInBytes: Int64(data.count),
                    digest: try #require(ContentDigest(bytes: bytes)))
            })
    }

    @Test("No request of its own makes an error of the guardrails", arguments: ["bakery", "landing", "portfolio"])
    func guarded(name: String) async throws {
        try await withTemporaryDirectory { folder in
            let source = Self.templates.appending(path: "\(name)/site")
            for path in try FileManager.default.contentsOfDirectory(atPath: source.path) {
                try FileManager.default.copyItem(
                    at: source.appending(path: path), to: URL(filePath: folder).appending(path: path))
            }
            let site = try BuiltinSite(at: folder, [:])
            var requests = Self.requests
            for path in ["about.html", "index.html"] {
                let ids = try site.read(path).matches(of: /<section id="([^"]+)"/).map { String($0.1) }
                requests.insert(contentsOf: ids.map { "Remove the section \"\($0)\" from \(path)" }, at: 6)
            }
            for request in requests {
                let before = try site.snapshot()
                try site.edit(request)
                let after = try site.snapshot()
                let (old, new) = (try Self.manifest(before), try Self.manifest(after))
                #expect(old != new, "\(request)")
                let review = try await ChangeGuard(request: RequestWords(request)).review(new, parent: old) { entry in
                    let isNew = new.entry(at: entry.path)?.digest == entry.digest
                    return (isNew ? after : before)[entry.path.text].map {
                        FileSurvey(of: entry.path, bytes: Array($0))
                    }
                }
                let errors = review.findings.filter { $0.severity == .error }.map(\.message)
                #expect(errors.isEmpty, "\(request)")
            }
        }
    }
}
