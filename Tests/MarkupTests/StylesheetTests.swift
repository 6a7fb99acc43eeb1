import Markup
import Testing

@Suite("A style sheet")
struct StylesheetTests {
    @Test("Gives its addresses, not those in comments and strings, nor what carries its content with it")
    func references() {
        let source = """
            @import "a.css"; @import url( b.css ); @IMPORT 'c.css' screen;
            /* url(no.png) */ .a { background: url("d e.png"), URL(f.png); content: "url(no.png)"; src: url(g\\).woff2) }
            .b { background: url(data:image/png;base64,AA==); filter: my-url(no.png) } .c { background: url(
            'h.png' ) } .d { background: url() } .e { background: url(d.png
            """
        #expect(
            StylesheetFacts(of: Array(source.utf8)).references.map(\.value) == [
                "a.css", "b.css", "c.css", "d e.png", "f.png", "g).woff2", "h.png", "d.png",
            ])
    }

    @Test("Gives its declarations with the place of each value and what is around it")
    func declarations() {
        let source = """
            /* --no: 1 */ :root { --accent : teal ; --x: "a;}b" } @media (min-width: 1px) { :root{--accent:/*c*/ red} a:hover { color: url(x;y) } }
            @import url(a;b); .a { .b { --accent: blue !important } }
            """
        let bytes = Array(source.utf8)
        let found = CSSDeclarations.declarations(in: bytes).map { found in
            "\(found.context.joined(separator: " > ")) | \(found.name) | \(String(decoding: bytes[found.value], as: UTF8.self))"
        }
        #expect(
            found == [
                ":root | --accent | teal", ":root | --x | \"a;}b\"",
                "@media (min-width: 1px) > :root | --accent | /*c*/ red",
                "@media (min-width: 1px) > a:hover | color | url(x;y)", ".a > .b | --accent | blue !important",
            ])
    }

    @Test("Any bytes are read without a crash", arguments: 0..<5)
    func anything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let scraps = [
            "url(", ")", "\"", "'", "\\", "/*", "*/", "{", "}", ":", ";", "@import", "--a", "x", " ", "\n", "(", "]",
            "é",
        ]
        for _ in 0..<500 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                bytes += Array(scraps.randomElement(using: &generator)!.utf8)
            }
            for found in CSSReferences.references(in: bytes) { #expect(found.range.upperBound <= bytes.count) }
            for found in CSSDeclarations.declarations(in: bytes) { #expect(found.value.upperBound <= bytes.count) }
        }
    }
}
