import Domain
import Testing

@Suite struct ManifestTests {
    private static func digest(_ digit: Character) -> ContentDigest {
        ContentDigest(String(repeating: digit, count: 64))!
    }

    private static func entry(_ path: String, _ digit: Character = "a", size: Int64 = 1) throws -> Manifest.Entry {
        Manifest.Entry(path: try SitePath(path), sizeInBytes: size, digest: digest(digit))
    }

    @Test("Entries are sorted by bytes, and found again")
    func sorted() throws {
        let manifest = try Manifest([
            try Self.entry("b.html"), try Self.entry("a/z.html"), try Self.entry("a.html"), try Self.entry("é.html"),
        ])
        #expect(manifest.entries.map(\.path.text) == ["a.html", "a/z.html", "b.html", "é.html"])
        #expect(manifest.entry(at: try SitePath("b.html")) != nil)
        #expect(manifest.entry(at: try SitePath("c.html")) == nil)
    }

    @Test("The canonical text reads back to the same manifest")
    func roundTrip() throws {
        let manifest = try Manifest([try Self.entry("a b.html", size: 12), try Self.entry("x/y.css", "b", size: 0)])
        #expect(try Manifest(canonicalText: manifest.canonicalText) == manifest)
    }

    @Test(
        "Text that the canonical form would not write is refused",
        arguments: [
            "", "pagewright-manifest-1", "pagewright-manifest-1\nx\n",
            "pagewright-manifest-1\n\(String(repeating: "a", count: 64)) 01 a\n",
            "pagewright-manifest-1\n\(String(repeating: "A", count: 64)) 1 a\n",
            "pagewright-manifest-1\n\(String(repeating: "a", count: 64)) 1 b\n\(String(repeating: "a", count: 64)) 1 a\n",
            "pagewright-manifest-1\n\(String(repeating: "a", count: 64)) 1 ../a\n",
            "pagewright-manifest-1\n\(String(repeating: "a", count: 64)) -1 a\n",
        ])
    func badText(text: String) {
        #expect(throws: ServiceError.self) { try Manifest(canonicalText: text) }
    }

    @Test(
        "Files that cannot live side by side everywhere are refused",
        arguments: [["a.html", "a.html"], ["A.html", "a.html"], ["a", "a/b"], ["x/É", "x/é"]])
    func collisions(paths: [String]) throws {
        let entries = try paths.map { try Self.entry($0) }
        #expect { try Manifest(entries) } throws: { ($0 as? ServiceError)?.rule == "path-collision" }
    }

    @Test("Each limit is named when it is passed")
    func limits() throws {
        let limits = Manifest.Limits(files: 2, totalSizeInBytes: 10, fileSizeInBytes: 8)
        let rule: ([Manifest.Entry]) -> String? = { entries in
            do {
                _ = try Manifest(entries, limits: limits)
                return nil
            } catch {
                return (error as? ServiceError)?.rule
            }
        }
        #expect(rule([try Self.entry("a"), try Self.entry("b"), try Self.entry("c")]) == "file-count")
        #expect(rule([try Self.entry("a", size: 9)]) == "file-size")
        #expect(rule([try Self.entry("a", size: -1)]) == "file-size")
        #expect(rule([try Self.entry("a", size: 6), try Self.entry("b", size: 6)]) == "total-size")
        #expect(rule([try Self.entry("a", size: 6), try Self.entry("b", size: 4)]) == nil)
    }

    @Test("A difference applied to its base gives the target, for random manifests")
    func delta() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let base = try Self.random(using: &generator)
            let target = try Self.random(using: &generator)
            let delta = ManifestDelta(from: base, to: target)
            #expect(try delta.applied(to: base) == target)
            #expect(ManifestDiff(from: base, to: target).files.count == delta.upserts.count + delta.removals.count)
        }
    }

    @Test("Removing what is not there is refused")
    func deltaBase() throws {
        let delta = ManifestDelta(upserts: [], removals: [try SitePath("gone")])
        #expect { try delta.applied(to: try Manifest([])) } throws: { ($0 as? ServiceError)?.rule == "delta-base" }
    }

    private static func random(using generator: inout SeededGenerator) throws -> Manifest {
        var entries: [Manifest.Entry] = []
        for number in 0..<12 where Bool.random(using: &generator) {
            entries.append(try entry("f\(number)", "abc".randomElement(using: &generator)!))
        }
        return try Manifest(entries)
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
