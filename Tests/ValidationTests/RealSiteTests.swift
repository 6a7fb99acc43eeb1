import Domain
import Foundation
import Testing
import Validation

@Suite("A real site of a thousand files")
struct RealSiteTests {
    /// The documentation of Python 3.11, from Debian's package `python3-doc`.
    static let folder = "/usr/share/doc/python3.11/html"

    static func load() throws -> [String: [UInt8]] {
        let root = URL(filePath: folder).resolvingSymlinksInPath()
        var files: [String: [UInt8]] = [:]
        func walk(_ folder: URL, _ prefix: String) throws {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                let url = folder.appending(path: name).resolvingSymlinksInPath()
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { continue }
                if isFolder.boolValue {
                    try walk(url, prefix + name + "/")
                } else {
                    files[prefix + name] = Array(try Data(contentsOf: url))
                }
            }
        }
        try walk(root, "")
        return files
    }

    @Test("It is imported with warnings only, and an edit of one page reads one page")
    func importAndEdit() async throws {
        let files = try Self.load()
        #expect(files.count > 1000)
        let site = try TestSite(bytes: files)
        // Imports leave hidden files out; here that is Sphinx's .buildinfo.
        let manifest = try Manifest(site.manifest.entries.filter { !$0.path.isHidden })
        #expect(manifest.entries.count == files.count - 1)
        var cache: [ContentDigest: [UInt8]] = [:]
        var extracted = 0
        func facts(_ entry: Manifest.Entry) throws -> FileFacts? {
            if let known = cache[entry.digest] { return try FileFacts(encoded: known) }
            extracted += 1
            let facts = FileFacts.extract(entry.path, from: files[entry.path.text] ?? [])
            cache[entry.digest] = try facts.encoded()
            return facts
        }
        let findings = try await ContentValidator().check(manifest) { try facts($0) }
        let ruling = ValidationRuling.judge(new: findings, parent: nil, origin: .upload)
        #expect(ruling.errors == [])
        // Debian ships the change log compressed, so that the links to it lead nowhere. All else is sound.
        let broken = findings.filter { $0.rule == "link-broken" }
        #expect(!broken.isEmpty && broken.allSatisfy { $0.subject == "whatsnew/changelog.html" })
        #expect(Set(findings.map(\.rule)) == ["link-broken", "anchor-missing"])

        let before = extracted
        let again = try await ContentValidator().check(manifest, parent: manifest, origin: .edit) { try facts($0) }
        #expect(extracted == before)
        #expect(again.isAccepted)
        #expect(again.warnings == findings)
    }
}
