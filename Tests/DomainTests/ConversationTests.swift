import Domain
import Testing

@Suite("What an engine is told of a conversation")
struct ConversationTests {
    private func turn(_ number: Int, _ answer: String = "Done.") -> ConversationTurn {
        ConversationTurn(
            prompt: "Request \(number)", answer: answer, outcome: .version(VersionNumber(unchecked: number)))
    }

    @Test("The built-in engine gets the request and nothing else")
    func builtin() throws {
        let task = EditInstruction(
            prompt: try Prompt("Change the headline to \"Hi\""), mode: .plan, turns: [turn(1)], plan: "p",
            variant: EditVariant(group: EditID(unchecked: "edit_x"), number: 2, count: 3))
        #expect(task.text(for: .builtin) == "Change the headline to \"Hi\"")
    }

    @Test("Earlier turns come first, the oldest first, and the request last")
    func turns() throws {
        let text = EditInstruction(prompt: try Prompt("And now blue"), turns: [turn(1), turn(2)]).text(for: .codex)
        let first = try #require(text.firstRange(of: "Request 1"))
        let second = try #require(text.firstRange(of: "Request 2"))
        #expect(first.lowerBound < second.lowerBound && text.hasSuffix("The request:\nAnd now blue"))
        #expect(text.contains("It became version 1.") && text.contains("Answer: Done."))
        #expect(EditInstruction(prompt: try Prompt("x")).text(for: .codex) == "x")
    }

    @Test("What is told of a conversation is bounded, and the newest turns are kept")
    func bounded() throws {
        let turns = (1...50).map { turn($0, String(repeating: "long ", count: 2000)) }
        let text = EditInstruction(prompt: try Prompt("x"), turns: turns).text(for: .codex)
        #expect(text.count < EditInstruction.memoryLimit + 400)
        #expect(text.contains("Request 50") && !text.contains("Request 42\n"))
    }

    @Test("A plan is asked for without a change, and carried out as agreed")
    func plan() throws {
        #expect(EditInstruction(prompt: try Prompt("x"), mode: .plan).text(for: .codex).contains("do not change"))
        #expect(EditInstruction(prompt: try Prompt("x"), plan: "1. Do y").text(for: .codex).contains("Carry it out"))
    }

    @Test(
        "Agreement is recognised, and requests are not",
        arguments: [
            ("Do it!", true), ("yes, do it", true), ("OK", true), ("Mach es", true), ("Do it in blue", false),
            ("Change the headline", false), ("yes but smaller", false),
        ])
    func approval(text: String, isGiven: Bool) throws {
        #expect(PlanApproval.isGiven(by: try Prompt(text)) == isGiven)
    }

    @Test(
        "Patterns of paths match what they say",
        arguments: [
            ("imprint.html", "imprint.html", true), ("imprint.html", "de/imprint.html", false),
            ("legal/", "legal/a/b.html", true), ("legal/", "legal.html", false), ("*.css", "a/b/c.css", true),
            ("img/*.png", "img/a.png", true), ("img/*.png", "img/b/a.png", false),
            ("**/index.html", "index.html", true),
            ("**/index.html", "a/b/index.html", true), ("a?c.txt", "abc.txt", true),
            ("/about.html", "about.html", true),
            ("docs/**/x.html", "docs/x.html", true), ("a*b*c", "aXXbYYc", true), ("a*b*c", "aXXcYYb", false),
        ])
    func patterns(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try PathPattern(pattern).matches(try SitePath(path)) == isMatch)
    }

    @Test(
        "Patterns that could mean something else are refused", arguments: ["", " ", "../x", "a//b", "a\u{7}b", "a\\b"])
    func refusedPatterns(text: String) {
        #expect(throws: ServiceError.self) { try PathPattern(text) }
    }

    @Test("Findings are named by rule and path")
    func references() throws {
        let finding = Finding(severity: .error, rule: "link-lost", path: "a:b.html", message: "m")
        #expect(try FindingReference("link-lost:a:b.html").names(finding))
        #expect(try FindingReference("link-lost:*").names(finding))
        #expect(try !FindingReference("link-lost:c.html").names(finding))
        #expect(try !FindingReference("form-lost:a:b.html").names(finding))
        #expect(throws: ServiceError.self) { try FindingReference("Not a rule") }
    }
}
