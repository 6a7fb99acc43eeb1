import Domain
import HummingbirdCore
import NIOCore
import Testing

@testable import WebUI

@Suite struct TextTests {
    @Test("Every byte that HTML reads is escaped, also under an accent")
    func escaping() {
        #expect(HTMLText.escaped("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;")
        #expect(HTMLText.escaped("\"\u{301}<\u{301}") == "&quot;\u{301}&lt;\u{301}")
        #expect(HTMLText.escaped("a\0b") == "a\u{fffd}b")
    }

    @Test("A comparison shows what changed and a little around it")
    func diff() throws {
        let before = (1...20).map { "line \($0)" }
        var after = before
        after[9] = "other"
        let diff = try #require(TextDiff(from: before.joined(separator: "\n"), to: after.joined(separator: "\n")))
        #expect(diff.added == 1 && diff.removed == 1)
        #expect(diff.lines.first == .gap(6))
        #expect(diff.lines.last == .gap(7))
        #expect(diff.lines.contains(.removed("line 10")) && diff.lines.contains(.added("other")))
        #expect(diff.lines.count == 10)
    }

    @Test("The same texts have no difference, and one that begins from nothing is new")
    func edges() throws {
        #expect(try #require(TextDiff(from: "a\nb", to: "a\nb")).lines.isEmpty)
        #expect(try #require(TextDiff(from: "", to: "a")).added == 1)
        #expect(TextDiff(from: String(repeating: "\n", count: 5000), to: "") == nil)
    }

    @Test("Sizes and counts are written for people")
    func wording() {
        #expect(Wording.size(912) == "912 B")
        #expect(Wording.size(1400) == "1.4 KB")
        #expect(Wording.size(23_400_000) == "23 MB")
        #expect(Wording.count(1, "file") == "1 file" && Wording.count(2, "file") == "2 files")
        #expect(Wording.sentence("the slug is taken") == "The slug is taken.")
    }

    @Test("A form with a file is read alike, however its bytes arrive", arguments: [1, 2, 3, 7, 64, 1000])
    func multipart(size: Int) async throws {
        let text =
            "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n"
            + "--b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n"
            + "--b\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"x\"\r\nContent-Type: a/b\r\n\r\n"
            + "one\r\n--bless\r\n-\r\n--b--\r\n"
        let bytes = Array(text.replacing("--b\r\n", with: "--limit\r\n").replacing("--b--", with: "--limit--").utf8)
        let pieces = stride(from: 0, to: bytes.count, by: size).map {
            ByteBuffer(bytes: bytes[$0..<min(bytes.count, $0 + size)])
        }
        let stream = AsyncStream<ByteBuffer> { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish()
        }
        var reader = MultipartReader(body: RequestBody(asyncSequence: stream), boundary: "limit")
        var parts: [String] = []
        while let head = try await reader.nextPart(limit: 1000) {
            let content = try await reader.collectPart(limit: 1000)
            parts.append(head.name + "=" + String(decoding: content, as: UTF8.self))
        }
        #expect(parts == ["csrf=abc", "empty=", "archive=one\r\n--bless\r\n-"])
    }

    @Test("A form that ends too early is refused")
    func broken() async throws {
        let body = RequestBody(
            buffer: ByteBuffer(string: "--limit\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"))
        var reader = MultipartReader(body: body, boundary: "limit")
        _ = try await reader.nextPart(limit: 1000)
        var isRefused = false
        do { _ = try await reader.collectPart(limit: 1000) } catch { isRefused = true }
        #expect(isRefused)
    }

    @Test("Form fields are decoded, and nonsense is refused")
    func fields() throws {
        let fields = try FormFields(encoded: "a=b+c&d=%C3%A4%26&role=x&role=y&empty")
        #expect(
            fields["a"] == "b c" && fields["d"] == "ä&" && fields.all("role") == ["x", "y"] && fields["empty"] == "")
        #expect(throws: (any Error).self) { try FormFields(encoded: "a=%zz") }
        #expect(throws: (any Error).self) { try FormFields(encoded: "a=%ff") }
    }
}
