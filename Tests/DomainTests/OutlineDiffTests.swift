import Domain
import Testing

@Suite("Comparing what pages say")
struct OutlineDiffTests {
    private func heading(_ text: String, level: Int = 1) -> OutlineItem {
        OutlineItem(kind: .heading, level: level, text: text, section: text)
    }

    private func sentences(_ before: [OutlineItem], _ after: [OutlineItem]) -> [String] {
        OutlineDiff(from: before, to: after).entries.map(\.sentence)
    }

    @Test("A long page that was written anew is compared in time", .timeLimit(.minutes(2)))
    func anew() {
        let before = (0..<3000).map { OutlineItem(kind: .text, text: "alpha \($0) beta gamma", section: "") }
        let after = (0..<3000).map { OutlineItem(kind: .text, text: "eins \($0) zwei drei", section: "") }
        #expect(OutlineDiff(from: before, to: after).entries.count == 3000)
    }

    @Test("Says what was added, removed, changed and moved, in the order of the page")
    func sentences() {
        let before = [
            heading("Hello"), OutlineItem(kind: .text, text: "We bake bread every day.", section: "Hello"),
            OutlineItem(kind: .link, text: "Menu", target: "menu.html"),
            OutlineItem(kind: .image, text: "Our oven", target: "oven.jpg", section: "Hello"),
        ]
        let after = [
            heading("Good morning"),
            OutlineItem(kind: .text, text: "We bake bread and cakes every day.", section: "Hello"),
            OutlineItem(kind: .link, text: "Menu", target: "food.html"),
            OutlineItem(kind: .form, text: "Send", target: "/send", section: "Good morning"),
        ]
        #expect(
            sentences(before, after) == [
                "Changed the heading \"Hello\" to \"Good morning\".",
                "Changed the text \"We bake bread every day.\" to \"We bake bread and cakes every day.\".",
                "Changed where the link \"Menu\" to \"menu.html\" points: now \"food.html\".",
                "Removed the image \"Our oven\" (oven.jpg) under \"Hello\".",
                "Added the form \"Send\" to \"/send\" under \"Good morning\".",
            ])
        #expect(
            sentences([heading("a"), heading("b"), heading("c")], [heading("b"), heading("c"), heading("a")]) == [
                "Moved the heading \"a\"."
            ])
        #expect(sentences(before, before) == [])
    }

    @Test("Marks the words that differ within a line, and leaves lines without anything in common whole")
    func pieces() throws {
        let diff = try #require(
            TextDiff(from: "<h1>Hello you</h1>\nsame\nold", to: "<h1>Hello there</h1>\nsame\nентирелы"))
        let pieces = zip(diff.lines, diff.pieces).map { line, pieces in
            (line, pieces.filter(\.isChanged).map(\.text))
        }
        #expect(pieces[0].0 == .removed("<h1>Hello you</h1>") && pieces[0].1 == ["you"])
        #expect(pieces[1].0 == .added("<h1>Hello there</h1>") && pieces[1].1 == ["there"])
        #expect(pieces.dropFirst(2).allSatisfy { $0.1.isEmpty })
        for (line, marked) in zip(diff.lines, diff.pieces) {
            switch line {
            case .same(let text), .removed(let text), .added(let text): #expect(marked.map(\.text).joined() == text)
            case .gap: #expect(marked.isEmpty)
            }
        }
    }
}
