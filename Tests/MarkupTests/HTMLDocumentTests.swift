import Markup
import Testing

@Suite("A parsed page")
struct HTMLDocumentTests {
    @Test("Knows where its elements are in the source")
    func ranges() throws {
        let document = try HTMLDocument(
            parsing: "<!doctype html><body><h1 id=a class='b c'>Hi <em>you</em></h1><img src=\"x\"/>")
        let heading = try #require(document.firstElement(named: "h1"))
        #expect(heading.content.map(document.text) == "Hi <em>you</em>")
        #expect(heading.range.map(document.text) == "<h1 id=a class='b c'>Hi <em>you</em></h1>")
        #expect(heading["id"] == "a")
        #expect(heading.classes == ["b", "c"])
        #expect(heading.textContent == "Hi you")
        #expect(heading.attribute("class").map { document.text(in: $0.quotedValueRange) } == "'b c'")
        #expect(heading.parent?.name == "body")
        #expect(heading.children.map(\.name) == ["em"])
        let image = try #require(document.firstElement(named: "img"))
        #expect(image.isVoid && image.range.map(document.text) == "<img src=\"x\"/>")
    }

    @Test("Offsets count bytes, also behind letters of several bytes and bytes that are no letters")
    func offsets() throws {
        let source = Array("<p>é日\u{1F9D1}".utf8) + [0xff, 0xfe, 0x00] + Array("</p><h1>ü</h1>".utf8)
        let document = try HTMLDocument(parsing: source)
        #expect(document.firstElement(named: "h1")?.range.map(document.text) == "<h1>ü</h1>")
        #expect(!document.isUTF8)
    }

    @Test("Elements that the parser made up have no place in the source")
    func madeUp() throws {
        let document = try HTMLDocument(parsing: "<table><tr><td>x</table>")
        #expect(document.firstElement(named: "tbody")?.startTag == nil)
        #expect(document.firstElement(named: "html")?.range == nil)
        let cell = try #require(document.firstElement(named: "td"))
        #expect(cell.endTag == nil)
        #expect(cell.content.map(document.text) == "x")
    }

    @Test("Copies of misnested tags are not in the source twice")
    func copies() throws {
        let document = try HTMLDocument(parsing: "<p><b>one<p>two</b>")
        let bold = document.elements(named: "b")
        #expect(bold.count == 2)
        #expect(bold.compactMap(\.startTag).count == 1)
    }

    @Test("The end of a form is found")
    func form() throws {
        let document = try HTMLDocument(parsing: "<div><form action=a>\n <input>\n </form>\n</div><form><p>x</form>")
        let forms = document.elements(named: "form")
        #expect(forms[0].content.map(document.text) == "\n <input>\n ")
        #expect(forms[1].range.map(document.text) == "<form><p>x</form>")
    }

    @Test("Lines are counted from one")
    func lines() throws {
        let document = try HTMLDocument(parsing: "\n\n<p>\n<i>x")
        #expect(document.line(at: document.firstElement(named: "p")?.startTag?.lowerBound ?? 0) == 3)
        #expect(document.line(at: document.firstElement(named: "i")?.startTag?.lowerBound ?? 0) == 4)
    }

    @Test("A deep page is read or refused, and walked without running out of stack")
    func depth() throws {
        for depth in [1_000, 5_000] {
            let document = try HTMLDocument(parsing: String(repeating: "<div>", count: depth) + "x")
            let deepest = try #require(document.elements(named: "div").last)
            #expect(Array(deepest.ancestors).count == depth + 1)
            #expect(document.firstElement(named: "html")?.textContent == "x")
        }
        var limits = HTMLDocument.Limits.standard
        limits.processorTime = .milliseconds(100)
        #expect(throws: HTMLParsingError.tooComplex) {
            try HTMLDocument(parsing: String(repeating: "<div>", count: 1_000_000), limits: limits)
        }
    }

    @Test("A page that would take too much memory, or is too large, is refused")
    func limits() {
        var limits = HTMLDocument.Limits.standard
        limits.memoryInBytes = 1 << 20
        #expect(throws: HTMLParsingError.tooComplex) {
            try HTMLDocument(parsing: String(repeating: "<p>x", count: 100_000), limits: limits)
        }
        limits.sizeInBytes = 10
        #expect(throws: HTMLParsingError.tooLarge) {
            try HTMLDocument(parsing: String(repeating: "x", count: 11), limits: limits)
        }
    }

    @Test("An assertion of the parser that fails ends the parse and not the process")
    func parserFault() {
        // Found by mutation: gumbo 0.10.1 fails `Assertion 'node'` on this.
        let source = """
            </details></code></keygen></dl><th><rp><image encoding=text/html>&<html><input encoding=text/html><mtext></desc></rb><!</link></malignmark></th></ruby><table><font type=hidden><th type=hidden><?php</p><form></html><noscript><math><nav><pre color=red x=1 x=2></section><b type=hidden><math><tr>&#0;\t</</noembed></style><select></code><title type=hidden><mi></annotation-xml><select encoding=text/html></br><tr><li><code type=hidden><main><optgroup><textarea color=red x=1 x=2>
            """
        #expect(throws: HTMLParsingError.unreadable) { try HTMLDocument(parsing: source) }
    }

    @Test(
        "Empty and odd sources are pages, too",
        arguments: ["", "\u{0}", "x", "<", "</", "<!", "<!--", "<!DOCTYPE", "&", "<a", "<a b=\"", "\u{feff}<p>"])
    func odd(source: String) throws {
        let document = try HTMLDocument(parsing: source)
        #expect(document.firstElement(named: "body") != nil)
        _ = PageFacts(of: document)
    }

    @Test("Thousands of mutated pages keep all ranges in order and within the source", arguments: 0..<10)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let names = [
            "a", "b", "p", "div", "table", "tr", "td", "select", "option", "template", "svg", "math", "title", "button",
            "form", "html", "head", "body", "script",
            "style", "textarea", "li", "ul", "h1", "frameset", "plaintext", "mtext", "desc", "caption", "nobr", "font",
            "dd", "rp", "image", "main", "object",
        ]
        let scraps = [
            "x", " ", "\n", "&amp;", "&#0;", "<!--", "-->", "<!DOCTYPE html>", "<![CDATA[", "]]>", "<?php", "<%", "<",
            "/>", "\"", "é", "\u{0}",
        ]
        for _ in 0..<300 {
            var source: [UInt8] = []
            for _ in 0..<Int.random(in: 1...60, using: &generator) {
                let name = names.randomElement(using: &generator)!
                switch Int.random(in: 0..<10, using: &generator) {
                case 0..<5:
                    source += Array("<\(name)\(Bool.random(using: &generator) ? "" : " id=\(name) href='x#y'")>".utf8)
                case 5..<8: source += Array("</\(name)>".utf8)
                case 8: source += Array(scraps.randomElement(using: &generator)!.utf8)
                default: source.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            guard let document = try? HTMLDocument(parsing: source) else { continue }
            for element in document.elements {
                guard let tag = element.startTag, let content = element.content, let range = element.range else {
                    continue
                }
                #expect(source[tag.lowerBound] == 0x3c && source[tag.upperBound - 1] == 0x3e)
                #expect(tag.upperBound <= content.lowerBound && content.upperBound <= source.count)
                #expect(range.lowerBound == tag.lowerBound && range.upperBound <= source.count)
                if let end = element.endTag {
                    #expect(
                        content.upperBound <= end.lowerBound && source[end.lowerBound + 1] == 0x2f
                            && range.upperBound == end.upperBound)
                }
                for attribute in element.attributes { #expect(attribute.quotedValueRange.upperBound <= source.count) }
            }
            _ = PageFacts(of: document)
        }
    }
}
