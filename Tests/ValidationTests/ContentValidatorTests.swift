import Domain
import Testing
import Validation

@Suite("The checks of a site")
struct ContentValidatorTests {
    @Test("A sound site has no findings")
    func sound() async throws {
        let site = try TestSite(
            home: "<a href=about>x</a> <a href=folder/>y</a> <a href=/folder>z</a> <img src='a%20b.png?v=1' alt=x>",
            [
                "about.html": page(
                    "<a href='index.html#top'>top</a> <a href='./'>home</a> <a href='https://x.example/y'>out</a> <a href='mailto:x@y.z'>m</a>"
                ),
                "folder/index.html": page("<a href=..>up</a> <a href='../about.html#Heading'>h</a>").replacing(
                    "<h1>", with: "<h1 id=\"place\">"),
                "a b.png": "", "s.css": "a { background: url('a b.png') } @import url(https://fonts.example/x.css);",
                "robots.txt": "User-agent: *", "LICENSE": "x",
            ])
        #expect(try await site.marks() == ["anchor-missing folder/index.html about.html#Heading"])
    }

    @Test("Links that lead nowhere and missing files are found, once for each page and target")
    func broken() async throws {
        let site = try TestSite(
            home: """
                <a href=gone.html>x</a><a href="gone.html?a=1#b">y</a><a href="/gone/">z</a><img src=gone.png alt=x><img srcset="gone.png 2x, gone2.png" alt=x>
                <form action=send.html></form><a href="../../gone.html">w</a>
                """,
            [
                "deep/s.css": "a { background: url(img/x.png) } @import 't.css';", "Photo.JPG": "",
                "deep/p.html": page("<img src=../photo.jpg alt=x>"),
            ])
        #expect(
            try await site.marks() == [
                "asset-missing deep/p.html photo.jpg", "asset-missing deep/s.css deep/img/x.png",
                "asset-missing deep/s.css deep/t.css",
                "asset-missing index.html gone.png", "asset-missing index.html gone2.png",
                "link-broken index.html gone.html", "link-broken index.html gone/",
                "link-broken index.html send.html",
            ])
        let hint = try await site.findings().first { $0.subject == "photo.jpg" }?.message
        #expect(
            hint
                == "\"deep/p.html\" uses the file \"../photo.jpg\", but it is missing. There is \"Photo.JPG\": capital and small letters have to match."
        )
    }

    @Test("Links are resolved against the base of the page")
    func base() async throws {
        let site = try TestSite([
            "index.html": page("x"),
            "a/b.html": page("<a href=c.html>x</a><a href='#x'>y</a>", head: "<base href='/d/'>"),
            "d/c.html": page("x"),
        ])
        #expect(try await site.marks() == ["link-broken a/b.html d/"])
    }

    @Test("Places on pages are looked up, those that scripts and browsers make are not")
    func anchors() async throws {
        let site = try TestSite(
            home:
                "<p id=here><a name=old></a><a href='#here'>a</a><a href='#old'>b</a><a href='#gone'>c</a><a href='#top'>d</a><a href='#'>e</a><a href='#!/x'>f</a><a href='#:~:text=x'>g</a><a href='b.html#caf%C3%A9'>h</a><a href='s.svg#x'>i</a>",
            ["b.html": page("<p id=café>x</p>"), "s.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"])
        #expect(try await site.marks() == ["anchor-missing index.html index.html#gone"])
        let ruling = ValidationRuling.judge(new: try await site.findings(), parent: [], origin: .edit)
        #expect(ruling.isAccepted && ruling.warnings.count == 1)
    }

    @Test("A page says its title, its language and what its images show")
    func advice() async throws {
        let site = try TestSite([
            "index.html": "<!DOCTYPE html><p>x<img src=a.png><img src=a.png><img src=b.png alt=''>", "a.png": "",
            "b.png": "",
        ])
        #expect(
            try await site.marks() == [
                "image-alt-missing index.html a.png", "lang-missing index.html ", "title-missing index.html ",
            ])
        let empty = try TestSite(home: "x", ["e.html": " "])
        #expect(try await empty.marks() == ["page-empty e.html "])
    }

    @Test("A site needs a home page")
    func homePage() async throws {
        let site = try TestSite(["about.html": page("x"), "folder/index.html": page("y")])
        #expect(try await site.marks() == ["index-missing  "])
        #expect(try await site.findings().map(\.severity) == [.error])
        #expect(try await TestSite([:]).marks() == ["index-missing  "])
    }

    @Test(
        "Programs for a server are refused by their names",
        arguments: [
            "a.php", "A.PHP", "x/y.phtml", "shell.phar", "cgi-bin/x.cgi", "x.pl", "x.jsp", "x.asp", "x.aspx", "x.shtml",
            ".htaccess", "x/.htaccess", "web.config", "x.php5",
        ])
    func serverPrograms(path: String) async throws {
        let findings = try await TestSite(home: "x", [path: "x"]).findings()
        #expect(findings.map(\.rule) == ["server-code"] && findings[0].severity == .error && findings[0].path == path)
    }

    @Test("Programs for a server are refused by their content")
    func serverContent() async throws {
        let site = try TestSite(
            home: "<?php phpinfo() ?>",
            [
                "a.txt": "<?php system($_GET[0]);", "b.txt": "Write <?php to begin.", "c.js": "<?php echo 1;",
                "d.svg": " <%@ page %>", "e.html": page("<!--#exec cmd='ls' -->"), "f.css": "<?= 1 ?>",
            ])
        #expect(
            try await site.marks() == [
                "server-code a.txt PHP", "server-code c.js PHP", "server-code d.svg ASP or JSP",
                "server-code e.html server-side includes", "server-code f.css PHP",
                "server-code index.html PHP",
            ])
    }

    @Test(
        "Hidden files are refused, but for .well-known at the top",
        arguments: [
            (".env", true), ("x/.git/config", true), (".well-known/security.txt", false), ("x/.well-known/y.txt", true),
        ])
    func hidden(path: String, isRefused: Bool) async throws {
        #expect(try await TestSite(home: "x", [path: "x"]).findings().map(\.rule) == (isRefused ? ["file-hidden"] : []))
    }

    @Test(
        "Kinds of files that a site has no use for are refused",
        arguments: ["a.bak", "a.swp", "b.so", "c.unknown", "index.html~", "x.bin2"])
    func fileTypes(path: String) async throws {
        let findings = try await TestSite(home: "x", [path: "x"]).findings()
        #expect(findings.map(\.rule) == ["file-type"] && findings[0].severity == .error)
    }

    @Test("All kinds of files that are allowed, are", arguments: FileTypes.allowed.flatMap(\.extensions))
    func allowedTypes(fileExtension: String) async throws {
        let site = try TestSite(
            home: "x", ["file.\(fileExtension)": FileKind(fileExtension: fileExtension) == .page ? page("x") : "x"])
        #expect(try await site.findings() == [])
        #expect(!FileTypes.serverPrograms.contains(fileExtension))
    }

    @Test("Broken tags are named with their line")
    func tags() async throws {
        let finding = try await TestSite(home: "<div>\n<b>x</b>").findings().first
        #expect(
            finding?.key
                == Finding(
                    severity: .warning, rule: "html-parse", path: "index.html", subject: "unclosed:div", message: ""
                ).key)
        #expect(finding?.message == "On \"index.html\", line 3, a <div> is opened but never closed.")
    }

    @Test("A page that cannot be read is said to be unchecked, and no more")
    func unreadable() async throws {
        var bytes = Array("<!DOCTYPE html>".utf8)
        bytes += [UInt8](repeating: 0x20, count: 9 << 20)
        let site = try TestSite(bytes: ["index.html": bytes])
        #expect(try await site.marks() == ["page-unchecked index.html "])
        #expect(ValidationRuling.judge(new: try await site.findings(), parent: [], origin: .edit).isAccepted)
    }

    @Test("Files whose content does not matter are not asked for, and no file is asked for twice")
    func asked() async throws {
        let site = try TestSite(
            home: "<img src=a.png alt=x><a href='b.html#x'>x</a>",
            ["a.png": "x", "b.html": page("<p id=x>"), "c.pdf": "x", "d.txt": "x"])
        _ = try await site.findings()
        #expect(site.asked == ["b.html", "d.txt", "index.html"])
    }

    @Test("Facts survive being kept as JSON")
    func encoding() throws {
        for (name, text) in [
            ("a.html", page("<h2 id=x>y</h2><img src=z><?php ?>")), ("b.css", "a{background:url(x)}"),
            ("c.txt", "<?php"), ("d.png", ""),
        ] {
            let facts = FileFacts.extract(try SitePath(name), from: Array(text.utf8))
            #expect(try FileFacts(encoded: facts.encoded()) == facts)
        }
        #expect(throws: (any Error).self) { try FileFacts(encoded: Array("{\"page\":1}".utf8)) }
    }
}
