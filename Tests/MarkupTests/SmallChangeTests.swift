import Markup
import Testing

@Suite("Small pieces that came or went")
struct SmallChangeTests {
    private static let head = "<!doctype html><html lang=\"en\"><head><title>T</title></head><body class=\"a\">"
    private static let menu = "<ul><li><a href=\"a.html\">A</a></li>"
    private static let item = "<li><a href=\"b.html\">B</a></li>"

    private func change(_ before: String, _ after: String) -> SmallChange? {
        SmallChange(from: Array(before.utf8), to: Array(after.utf8))
    }

    /// A page whose body has `text` before the place and `rest` after it.
    private func grown(_ text: String, by piece: String = item, rest: String = "</ul><p>End</p></body></html>")
        -> SmallChange?
    {
        change(Self.head + text + rest, Self.head + text + piece + rest)
    }

    @Test("An entry of a menu that came is found, and the same one that went")
    func entry() throws {
        let came = try #require(grown(Self.menu))
        #expect(came.kind == .came && came.piece == Array(Self.item.utf8))
        let page = Self.head + Self.menu
        let went = try #require(change(page + Self.item + "</ul>", page + "</ul>"))
        #expect(went.kind == .went && went.piece == Array(Self.item.utf8))
    }

    @Test("Where the piece could be cut out in several ways, one that is complete is taken")
    func cuts() throws {
        let twin = "<li><a href=\"a.html\">A2</a></li>"
        #expect(grown(Self.menu, by: twin)?.piece == Array(twin.utf8))
        #expect(grown("<p>x</p>\n  ", by: "<b>y</b>\n  ", rest: "<p>z</p>") != nil)
    }

    @Test(
        "Other pieces are not small changes",
        arguments: [
            "text", "<li>", "</li>", "<li></ul></li>", "<div>x</div>", "<script>x</script>", "<img src=\"a.png\">",
            "<a href=\"https://elsewhere.example/\">x</a>", "<a href=\"javascript:x\">x</a>",
            "<a href=\"java&#115;cript:x\">x</a>", "<a onclick=\"x\">x</a>", "<a style=\"x\">x</a>",
            "<a href=b.html>x</a>",
            "<li>x</li>y", "<!-- x --><li>x</li>", "<li>\u{0}</li>", "<li/>", "<a href=\"b.html>x</a>",
        ])
    func otherPieces(piece: String) {
        #expect(grown(Self.menu, by: piece) == nil)
    }

    @Test(
        "At a place where markup would be something else, nothing is a small change",
        arguments: [
            "<script>let a = '", "<style>", "<textarea>", "<title>", "<!-- ", "<!-- --", "<!--><p>", "<a title=\"",
            "<a ",
            "<a title='x\">", "<svg><g>", "<math>", "<select><option>", "<template>", "<plaintext>", "<xmp>",
            "<noscript>",
            "<script><!-- <script></script>", "<![CDATA[ ", "<svg><style></svg>", "<", "</", "<p", "<iframe>",
        ])
    func otherPlaces(text: String) {
        #expect(grown(text, rest: "<p>z</p>") == nil)
    }

    @Test(
        "What is closed before the place does not matter",
        arguments: [
            "<script>if (a < b) { c = \"</p>\" }</script>", "<style>a > b { }</style>", "<!-- <script> -->",
            "<a title=\"a > b\" href='<'>x</a>", "<svg viewBox=\"0 0 1 1\"><path d=\"\"/></svg>", "<svg/>", "a < b > c",
            "<textarea></p></textarea>", "<p =x=\"1\">", "<br/>", "</>", "<?php x ?>", "<TITLE>x</title>",
        ])
    func otherwise(text: String) {
        #expect(grown(text, rest: "<p>z</p>") != nil)
    }

    @Test(
        "Within a heading nothing is a small change, whether it comes or goes",
        arguments: ["<h1>", "<h2 class=\"a\">Our ", "<H3>", "<h4/>", "<section><h5><b>x</b> ", "<h6>a</h6><h6>"])
    func heading(text: String) throws {
        let rest = "</h2><p>End</p></body></html>"
        let piece = "<a href=\"b.html\">Prices</a>"
        #expect(grown(text, by: piece, rest: rest) == nil)
        #expect(change(Self.head + text + piece + rest, Self.head + text + rest) == nil)
        #expect(grown("<h1>x</h1><h2>y</h2><p>", by: piece, rest: "</p>") != nil, "behind headings")
    }

    @Test("What goes from between words is no small change, because they become others")
    func joined() throws {
        let page = Self.head + "<p>AKIA"
        #expect(change(page + "<b></b>IOSFODNN7EXAMPLE</p>", page + "IOSFODNN7EXAMPLE</p>") == nil)
        #expect(change(page + " <a href=\"b.html\">x</a> rest</p>", page + "  rest</p>") == nil)
        #expect(change(page + "<b>x</b></p>", page + "</p>") != nil)
    }

    @Test("Only the body of a page can take in a piece")
    func head() {
        let page = "<!doctype html><html><head>"
        #expect(change(page + "</head></html>", page + Self.item + "</head></html>") == nil)
    }

    @Test("Pages that are the same, that differ in two places, or by much, are not small changes")
    func others() {
        let page = Self.head + Self.menu + "</ul><p>End</p>"
        #expect(change(page, page) == nil)
        #expect(change(page, Self.head + Self.menu + Self.item + "</ul><p>Ende</p>") == nil)
        #expect(grown(Self.menu, by: "<li>" + String(repeating: "x", count: SmallChange.sizeLimit) + "</li>") == nil)
        #expect(change("", page) == nil && change(page, "") == nil)
    }
}
