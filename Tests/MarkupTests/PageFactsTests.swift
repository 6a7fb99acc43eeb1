import Markup
import Testing

@Suite("The facts of a page")
struct PageFactsTests {
    private func facts(_ source: String) throws -> PageFacts { PageFacts(of: try HTMLDocument(parsing: source)) }

    @Test("Links and files are found wherever a page names them")
    func references() throws {
        let facts = try facts(
            """
            <!DOCTYPE html><html><head><base href="/b/"><link rel=stylesheet href=s.css><link rel="shortcut icon" href=i.ico>
            <link rel=canonical href=https://x.example/c><link rel=next href=n.html><meta http-equiv=refresh content="5; url='r.html'">
            <style>body { background: url("bg.png") } @import 'i.css';</style><script src=j.js></script></head>
            <body background=old.png style="background: url(st.png)"><a href="p.html?x=1&amp;y=2#z">p</a><a href=" p.html\n">p</a><a name=n>n</a>
            <img src=a.png srcset="b.png 1x, c,d.png 2x,e.png" alt=""><picture><source srcset="f.webp"></picture>
            <video poster=v.jpg src=v.mp4><track src=t.vtt></video><iframe src=w.html></iframe><object data=o.svg></object>
            <form action=f.html><button formaction=g.html>g</button><input type=image src=k.png alt=k></form><area href=q.html>
            <svg><use href="sprite.svg#x"/><a xlink:href=sv.html>s</a></svg><img src="data:image/png;base64,AAAA" alt=d></body></html>
            """)
        func values(_ kind: Reference.Kind) -> Set<String> {
            Set(facts.references.filter { $0.kind == kind }.map(\.value))
        }
        #expect(
            values(.asset) == [
                "s.css", "i.ico", "bg.png", "i.css", "j.js", "old.png", "st.png", "a.png", "b.png", "c,d.png", "e.png",
                "f.webp", "v.jpg", "v.mp4", "t.vtt",
                "w.html", "o.svg", "k.png", "sprite.svg#x",
            ])
        #expect(
            values(.link) == [
                "n.html", "r.html", "p.html?x=1&y=2#z", "p.html", "f.html", "g.html", "q.html", "sv.html",
            ])
        #expect(facts.baseAddress == "/b/")
        #expect(facts.anchors == ["n"])
    }

    @Test("Title, language, headings, anchors and scripts are found")
    func head() throws {
        let facts = try facts(
            """
            <html lang=en-GB><head><title> A \n B </title></head><body><svg><title>drawing</title></svg><h1 id=top>One <i>two</i></h1><h3>x</h3>
            <script>run()</script><script type="application/ld+json">{}</script><script> </script><script src=//cdn.example/x.js></script>
            <img src=a.png><img src=b.png alt><img src=c.png role=presentation><img src="HTTPS://Img.Example:8080/x" alt=x></body></html>
            """)
        #expect(facts.title == "A B")
        #expect(facts.language == "en-GB")
        #expect(facts.headings == [.init(level: 1, text: "One two"), .init(level: 3, text: "x")])
        #expect(facts.anchors == ["top"])
        #expect(facts.inlineScripts == 1)
        #expect(facts.imagesWithoutAlternative == ["a.png"])
        #expect(facts.thirdPartyOrigins == ["https://cdn.example", "https://img.example:8080"])
        #expect(!facts.isEmpty)
    }

    @Test("Only mistakes that change what visitors see are problems")
    func problems() throws {
        func marks(_ source: String) throws -> [String] {
            try facts(source).problems.map { "\($0.kind.rawValue) \($0.name) \($0.line)" }
        }
        #expect(
            try marks(
                "<!DOCTYPE html><html><body><ul><li>a<li>b</ul><p>c<p>d<br><img src=x><table><tr><td>e</table></body></html>"
            ) == [])
        #expect(try marks("<svg><path d=x/><g><a/></g></svg><math><mi>x</mi></math><p>x") == [])
        #expect(
            try marks(
                "<script>'</div>'</script><style>/*</p></div>*/</style><textarea></div></textarea><!-- </div> --><a title='</div>'>x</a>"
            ) == [])
        #expect(try marks("<div>\n<div>x</div>") == ["unclosed div 1"])
        #expect(try marks("<p>x</p>\n</div>") == ["stray div 2"])
        #expect(try marks("<b><i>x</b></i>").contains("unclosed i 1"))
        #expect(try marks("<p>x\n<!-- never ends <p>y</p>") == ["comment  2"])
        #expect(try marks("<title>x<body><p>y") == ["unclosed title 1"])
        #expect(try marks("x\u{0}y") == ["binary  1"])
        let latin = Array("<p>caf".utf8) + [0xe9] + Array("</p>".utf8)
        #expect(PageFacts(of: try HTMLDocument(parsing: latin)).problems.map(\.kind) == [.encoding])
        #expect(
            PageFacts(of: try HTMLDocument(parsing: Array("<meta charset=iso-8859-1>".utf8) + latin)).problems == [])
        #expect(try facts(String(repeating: "<div>", count: 100)).problems.count == 20)
    }

    @Test("Code for a server is found, and code for browsers is not mistaken for it")
    func serverCode() throws {
        func languages(_ source: String) throws -> [ServerCode.Language] {
            try facts(source).serverCode.map(\.language)
        }
        #expect(try languages("<p>\n<?php echo 1 ?></p>") == [.php])
        #expect(try facts("<p>\n<?php echo 1 ?></p>").serverCode.map(\.line) == [2])
        #expect(try languages("<a href=\"<?= $x ?>\">x</a>") == [.php])
        #expect(try languages("<script>var x = <?PHP echo 1 ?></script>") == [.php])
        #expect(try languages("<%@ page language=\"java\" %><p>x") == [.activeServerPages])
        #expect(try languages("<p><%= name %></p>") == [.activeServerPages])
        #expect(try languages("<!--#include virtual=\"x\" -->") == [.serverSideIncludes])
        #expect(
            try languages("<?xml version=\"1.0\"?><p>x &lt;?php ?&gt; <!-- # include --> 5 <% x") == [
                .activeServerPages
            ])
        #expect(
            try languages("<script type=text/template><% each %><%= x %></script><template><%= y %></template>") == [])
        #expect(try languages("<code>&lt;?php echo 1 ?&gt;</code><!-- <?php --><!--#region x-->") == [])
        #expect(ServerCode.opening(of: Array("\u{feff} \n<?php phpinfo();".utf8))?.language == .php)
        #expect(ServerCode.opening(of: Array("How to write <?php".utf8)) == nil)
    }

    @Test(
        "A page without anything to see is empty",
        arguments: [
            ("", true), ("<html><body> \n </body></html>", true), ("<title>x</title><style>a{}</style>", true),
            ("<p>x", false), ("<img src=x alt=x>", false),
            ("<script src=app.js></script>", false), ("<meta http-equiv=refresh content='0;url=x'>", false),
            ("<!-- x -->", true),
        ])
    func empty(source: String, isEmpty: Bool) throws {
        #expect(try facts(source).isEmpty == isEmpty)
    }
}
