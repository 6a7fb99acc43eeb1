import Domain
import Testing

@Suite struct PageChecksTests {
    private static func entry(_ path: String) throws -> Manifest.Entry {
        Manifest.Entry(
            path: try SitePath(path), sizeInBytes: 1, digest: ContentDigest(String(repeating: "a", count: 64))!)
    }

    private static let png: [UInt8] =
        [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52] + [0, 0, 1, 0x77]
        + [0, 0, 3, 0x84]

    @Test("A picture is measured by its own first bytes")
    func measured() {
        let png = PagePicture.measure(Self.png)
        #expect(png?.format == .png && png?.width == 375 && png?.height == 900)
        // A segment of an application before the frame, as cameras and browsers write it.
        let jpeg: [UInt8] =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2] + [0xff, 0xc0, 0, 11, 8, 1, 0x2c, 1, 0xe0, 3, 0, 0]
        let found = PagePicture.measure(jpeg)
        #expect(found?.format == .jpeg && found?.width == 480 && found?.height == 300)
    }

    @Test("What is no picture, or ends before its sides, is none")
    func unmeasured() {
        #expect(PagePicture.measure([]) == nil && PagePicture.measure(Array("<svg onload=alert(1)>".utf8)) == nil)
        for length in 0..<24 { #expect(PagePicture.measure(Array(Self.png.prefix(length))) == nil) }
        // A segment that says it has no length would be walked for ever.
        #expect(PagePicture.measure([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == nil)
        for length in 0..<64 {
            #expect(PagePicture.measure([0xff, 0xd8] + Array(repeating: 0xff, count: length)) == nil)
        }
    }

    @Test("Of pages alone only the changed ones are affected; of what they share, all, the start page first")
    func affected() throws {
        let manifest = try Manifest(
            try ["about.html", "index.html", "menu/index.html", "styles.css"].map { try Self.entry($0) })
        let page = ManifestDelta(upserts: [try Self.entry("menu/index.html")], removals: [])
        #expect(page.affectedPages(of: manifest).map(\.text) == ["menu/index.html"])
        let style = ManifestDelta(
            upserts: [try Self.entry("menu/index.html"), try Self.entry("styles.css")], removals: [])
        #expect(style.affectedPages(of: manifest).map(\.text) == ["menu/index.html", "index.html", "about.html"])
        let removal = ManifestDelta(upserts: [], removals: [try SitePath("old.html")])
        #expect(removal.affectedPages(of: manifest).map(\.text) == ["index.html", "about.html", "menu/index.html"])
    }

    @Test("A page looks alike in two versions when neither it nor what it may load has changed")
    func alike() throws {
        func manifest(_ digits: [String: String]) throws -> Manifest {
            try Manifest(
                try digits.map {
                    Manifest.Entry(
                        path: try SitePath($0.key), sizeInBytes: 1,
                        digest: ContentDigest(String(repeating: $0.value, count: 64))!)
                })
        }
        let first = try manifest(["index.html": "a", "about.html": "b", "styles.css": "c"])
        let index = try SitePath("index.html")
        #expect(first.showsAlike(index, as: try manifest(["index.html": "a", "about.html": "d", "styles.css": "c"])))
        #expect(!first.showsAlike(index, as: try manifest(["index.html": "a", "about.html": "b", "styles.css": "d"])))
        #expect(!first.showsAlike(index, as: try manifest(["index.html": "d", "about.html": "b", "styles.css": "c"])))
        #expect(!first.showsAlike(index, as: try manifest(["about.html": "b", "styles.css": "c"])))
    }

    @Test("A worker that did not report in time never will")
    func settled() throws {
        let now = Timestamp(millisecondsSinceEpoch: 1000)
        var generator = SystemRandomNumberGenerator()
        let lease = JobLease(
            job: JobID(at: now), attempt: 1, token: LeaseToken(using: &generator), fence: Fence(rawValue: 1))
        let host = HostID(at: now)
        let waiting = VersionChecks(
            site: SiteID(at: now), version: try VersionNumber(2), lease: lease, host: host,
            state: .waiting(until: now + .seconds(1)))
        #expect(waiting.settled(at: now) == waiting && waiting.admits(lease, of: host, at: now))
        let late = waiting.settled(at: now + .seconds(1))
        #expect(late.state == .done(at: now + .seconds(1)))
        #expect(late.checks.count == 6 && !waiting.admits(lease, of: host, at: now + .seconds(1)))
    }

    @Test("A version waits for the look that belongs to its edit, until that is over, and for no other")
    func awaited() throws {
        let now = Timestamp(millisecondsSinceEpoch: 1000)
        let until = now + .seconds(1)
        var generator = SystemRandomNumberGenerator()
        let (site, host, job) = (SiteID(at: now), HostID(at: now), JobID(at: now))
        func version(_ number: Int, _ origin: Version.Origin) throws -> Version {
            Version(
                site: site, number: try VersionNumber(number),
                digest: ContentDigest(String(repeating: "a", count: 64))!, parent: .first, origin: origin,
                author: UserID(at: now), summary: "", files: 1, totalSizeInBytes: 1, findings: [], signature: [],
                createdAt: now)
        }
        let lease = JobLease(job: job, attempt: 1, token: LeaseToken(using: &generator), fence: Fence(rawValue: 1))
        func look(_ state: VersionChecks.State) throws -> VersionChecks {
            VersionChecks(site: site, version: try VersionNumber(2), lease: lease, host: host, state: state)
        }
        let made = Version.Origin.edit(EditID(at: now), job: job, engine: .builtin)
        let waiting = try look(.waiting(until: until))
        #expect(waiting.awaited(by: try version(2, made), at: now) == until)
        #expect(waiting.awaited(by: try version(2, made), at: until) == nil)
        #expect(try look(.done(at: now)).awaited(by: try version(2, made), at: now) == nil)
        let other = Version.Origin.edit(EditID(at: now), job: JobID(at: now), engine: .builtin)
        for origin in [other, .upload, .template("plain")] {
            #expect(waiting.awaited(by: try version(2, origin), at: now) == nil)
        }
        #expect(waiting.awaited(by: try version(3, made), at: now) == nil)
    }
}
