import Domain
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import Engines

/// Our own loop: the agent's program in a real sandbox, against a scripted model that speaks each of the three APIs.
@Suite(.serialized) struct ModelEngineTests {
    private static let engine = ModelEngine(program: AgentProgram.path)
    private static let replace = Step.call(
        "replace", #"{"path": "index.html", "old": "Hello", "new": "Bonjour", "all": null}"#)
    private static let finish = Step.call("finish", #"{"summary": "The heading is French now."}"#)

    @Test("A model edits a site through each API", arguments: ModelEndpoint.Provider.allCases)
    func edits(provider: ModelEndpoint.Provider) async throws {
        let read = Step.call("read", #"{"path": "index.html", "first_line": null, "lines": null}"#)
        let steps = [read, Self.replace, Self.finish].joined(separator: ",")
        try await EngineBench.with(Self.engine, steps) { bench in
            let result = try await bench.run(provider: provider, model: "some-model")
            #expect(result.verdict == .finished(summary: "The heading is French now."))
            #expect(result.page.contains("<h1>Bonjour</h1>"))
            // The Messages API counts cached input beside the input, the others as a part of it.
            let input = provider == .anthropicMessages ? 3600 : 3000
            #expect(result.usage == TokenUsage(uncachedInput: input, cachedInput: 600, output: 180))
            #expect(bench.server.requests.count == 3)
            #expect(bench.server.requests.first?.contains("Say hello in French") == true)
            // What the tool read came back to the model.
            #expect(bench.server.requests[1].contains("<h1>Hello</h1>"))
            #expect(!result.transcript.isEmpty)
        }
    }

    @Test("The same transcript leads to the same site again, and nobody is asked")
    func replay() async throws {
        let steps = [Self.replace, Self.finish].joined(separator: ",")
        try await EngineBench.with(Self.engine, steps) { bench in
            let first = try await bench.run()
            #expect(bench.server.requests.count == 2)
            try EngineBench.page.write(toFile: bench.site + "/index.html", atomically: true, encoding: .utf8)
            let second = try await bench.run("Say  hello\n in French", replay: first.transcript)
            #expect(second.verdict == first.verdict)
            #expect(second.page == first.page)
            #expect(second.usage == .zero)
            #expect(bench.server.requests.count == 2)
        }
    }

    @Test("A transcript does not fit a site that is not the same, and nothing is changed then")
    func divergedReplay() async throws {
        let read = Step.call("read", #"{"path": "index.html", "first_line": null, "lines": null}"#)
        try await EngineBench.with(Self.engine, [read, Self.replace, Self.finish].joined(separator: ",")) { bench in
            let first = try await bench.run()
            let other = "<!doctype html>\n<h1>Hello there</h1>\n"
            try other.write(toFile: bench.site + "/index.html", atomically: true, encoding: .utf8)
            let second = try await bench.run(replay: first.transcript)
            #expect(second.failure?.code == "replay-diverged")
            #expect(second.page == other)
        }
    }

    @Test("An answer of a given shape is JSON, through each API", arguments: ModelEndpoint.Provider.allCases)
    func structured(provider: ModelEndpoint.Provider) async throws {
        let schema =
            #"{"type":"object","properties":{"title":{"type":"string"}},"required":["title"],"additionalProperties":false}"#
        let step =
            provider == .anthropicMessages
            ? Step.call("answer", #"{"title": "Bakery"}"#)
            : #"{"reply": {"text": "{\"title\": \"Bakery\"}"}}"#
        try await EngineBench.with(Self.engine, step) { bench in
            let result = try await bench.run(provider: provider, schema: schema)
            #expect(result.verdict == .finished(summary: #"{"title":"Bakery"}"#))
            #expect(result.page == EngineBench.page)
            #expect(bench.server.requests.first?.contains("additionalProperties") == true)
        }
    }

    @Test("A model can name nothing outside of the site")
    func outside() async throws {
        let steps = [
            Step.call("read", #"{"path": "../secret.txt", "first_line": null, "lines": null}"#),
            Step.call("write", #"{"path": "/tmp/x", "content": "x"}"#),
            Step.call("read", #"{"path": "link.txt", "first_line": null, "lines": null}"#),
            Self.finish,
        ].joined(separator: ",")
        try await EngineBench.with(Self.engine, steps) { bench in
            try "secret".write(toFile: bench.site + "/../secret.txt", atomically: true, encoding: .utf8)
            try FileManager.default.createSymbolicLink(
                atPath: bench.site + "/link.txt", withDestinationPath: "/etc/passwd")
            let result = try await bench.run()
            #expect(result.summary != nil)
            #expect(bench.server.requests.count == 4)
            #expect(bench.server.requests.allSatisfy { !$0.contains("agent:x:1000") })
            #expect(bench.server.requests[1].contains("would leave the site"))
            #expect(bench.server.requests[2].contains("is absolute"))
            #expect(bench.server.requests[3].contains("there is no file"))
        }
    }

    @Test("The same mistake twice ends the work, and nothing of it stays")
    func loop() async throws {
        let wrong = Step.call("replace", #"{"path": "index.html", "old": "Nowhere", "new": "x", "all": null}"#)
        let write = Step.call("write", #"{"path": "index.html", "content": "half"}"#)
        try await EngineBench.with(Self.engine, [write, wrong, wrong, wrong].joined(separator: ",")) { bench in
            let result = try await bench.run()
            #expect(result.failure?.code == "model-loop")
            #expect(result.page == EngineBench.page)
            #expect(bench.server.requests.count == 3)
        }
    }

    @Test("The budget of tokens ends the work")
    func budget() async throws {
        let read = Step.call("read", #"{"path": "index.html", "first_line": null, "lines": null}"#)
        try await EngineBench.with(Self.engine, [read, read, read].joined(separator: ",")) { bench in
            let result = try await bench.run(tokenBudget: 2000)
            #expect(result.failure?.code == "model-budget")
            #expect(result.failure?.sort == .limitReached)
            #expect(bench.server.requests.count == 2)
        }
    }

    private static let failures: [(step: String, code: String, sort: EngineFailure)] = [
        (Step.error(403), "model-credentials", .permanent),
        (Step.error(404), "model-unknown", .permanent), (Step.error(400, "odd"), "model-bad-request", .permanent),
        (Step.error(400, "prompt is too long"), "model-context", .tooBig),
        (Step.error(400, "x", code: "context_length_exceeded"), "model-context", .tooBig),
        (Step.error(413), "model-context", .tooBig),
        (Step.error(429, "x", code: "insufficient_quota"), "model-quota", .permanent),
        (
            #"{"reply": {"text": "a", "stream_error": {"code": "server_is_overloaded", "message": "busy"}}, "times": 9}"#,
            "model-unavailable", .retryLater
        ),
    ]

    @Test("What a provider refuses is sorted", arguments: failures)
    func sorted(step: String, code: String, sort: EngineFailure) async throws {
        try await EngineBench.with(Self.engine, step) { bench in
            let result = try await bench.run()
            #expect(result.failure?.code == code)
            #expect(result.failure?.sort == sort)
            #expect(
                result.failure?.message.hasSuffix(".") == true || code == "model-unavailable"
                    || code == "model-bad-request" || code == "model-garbage")
            #expect(result.page == EngineBench.page)
        }
    }

    @Test("An answer that was cut off, by length, is said", arguments: ModelEndpoint.Provider.allCases)
    func cutOff(provider: ModelEndpoint.Provider) async throws {
        let step = #"{"reply": {"text": "half", "incomplete": "max_output_tokens", "stop_reason": "max_tokens"}}"#
        try await EngineBench.with(Self.engine, step) { bench in
            let result = try await bench.run(provider: provider)
            #expect(result.failure?.code == "model-incomplete")
        }
    }

    @Test("A busy model that recovers is asked again within the attempt")
    func recovers() async throws {
        let steps = [Step.error(503, times: 1), Self.replace, Self.finish].joined(separator: ",")
        try await EngineBench.with(Self.engine, steps) { bench in
            let result = try await bench.run()
            #expect(result.page.contains("Bonjour"))
            #expect(result.log.contains("Asking again"))
        }
    }

    @Test(
        "A model that never answers, or stops in the middle, costs no more than its silence",
        arguments: ["start", "stream"])
    func silence(hang: String) async throws {
        try await EngineBench.with(Self.engine, #"{"reply": {"text": "x", "hang": "\#(hang)"}}"#) { bench in
            let result = try await bench.run(silence: .seconds(2))
            #expect(result.failure?.code == "model-timeout")
        }
    }

    @Test("No key is inside: what answers on the socket gets the dummy")
    func dummyKey() async throws {
        try await EngineBench.with(Self.engine, Self.finish) { bench in
            _ = try await bench.run()
            // The server masks credentials in its log; that it got one is all that shows.
            #expect(bench.server.requests.first?.contains(#""authorization": "***""#) == true)
        }
        let task = EngineTask(
            prompt: "x", workspace: "/w", state: "/s", limits: SandboxLimits(),
            model: EngineModel(provider: .openAIResponses, name: "m"), socketFolder: "/sock")
        let run = try Self.engine.makeRun(for: task)
        #expect(run.plan.environment.isEmpty)
        #expect(!String(decoding: run.input, as: UTF8.self).contains("authorization"))
    }

    @Test("Without a model, or a way to one, it says who has to do something")
    func notConfigured() {
        let task = EngineTask(prompt: "x", workspace: "/w", state: "/s", limits: SandboxLimits())
        #expect(throws: EngineRefusal.self) { try Self.engine.makeRun(for: task) }
    }
}

@Suite struct ServerSentEventsTests {
    @Test("Events come out whole, whatever the pieces", arguments: 1...7)
    func pieces(size: Int) throws {
        let stream = Array(
            ": comment\r\nevent: a\r\ndata: one\r\n\r\ndata:two\ndata: three\n\nid: 7\n\nevent: b\rdata\r\rdata: last"
                .utf8)
        var parser = ServerSentEvents()
        var events: [ServerSentEvent] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            events += try parser.feed(stream[start..<min(start + size, stream.count)])
        }
        #expect(
            events == [
                ServerSentEvent(name: "a", data: "one"), ServerSentEvent(name: "", data: "two\nthree"),
                ServerSentEvent(name: "b", data: ""),
            ])
    }

    @Test("A line without an end is refused")
    func tooLong() {
        var parser = ServerSentEvents()
        let megabyte = [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(throws: ServerSentEvents.TooLong.self) {
            for _ in 0..<5 { _ = try parser.feed(megabyte) }
        }
    }
}

@Suite struct ModelToolboxTests {
    private func answer(_ name: String, _ arguments: String, _ files: [String: String]) async throws -> ModelToolResult
    {
        try await withTemporaryDirectory { folder in
            for (path, text) in files {
                let url = URL(filePath: folder + "/" + path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: true, encoding: .utf8)
            }
            var toolbox = try ModelToolbox(folder: folder)
            return toolbox.run(.init(id: "1", name: name, arguments: arguments))
        }
    }

    @Test("Tools answer what they should")
    func answers() async throws {
        let files = ["index.html": "one\ntwo\nTwo\n", "about/a.html": "three", "bild.png": "\u{0}"]
        let cases: [(String, String, String, Bool)] = [
            ("list", "{}", "about/a.html\nbild.png\nindex.html", false),
            ("list", #"{"folder":"about"}"#, "about/a.html", false),
            ("read", #"{"path":"index.html","first_line":2,"lines":1}"#, "two", false),
            ("read", #"{"path":"bild.png"}"#, "Error: \"bild.png\" is not a text file", true),
            ("search", #"{"text":"TWO"}"#, "index.html:2: two\nindex.html:3: Two", false),
            ("search", #"{"text":"nothing"}"#, "It is nowhere.", false),
            ("write", #"{"path":"ABOUT/A.html","content":""}"#, "Error: there is a file or a folder whose name", true),
            ("write", #"{"path":"new/b.html","content":"é"}"#, "new/b.html has 2 bytes now.", false),
            ("delete", #"{"path":"nope"}"#, "Error: there is no file", true),
            ("explode", "{}", "Error: there is no tool", true),
            ("read", "[", "Error: the arguments are not a JSON object", true),
        ]
        for (name, arguments, expected, isError) in cases {
            let result = try await answer(name, arguments, files)
            #expect(result.text.hasPrefix(expected), "\(name) \(arguments)")
            #expect(result.isError == isError, "\(name) \(arguments)")
        }
        #expect(
            try await answer("replace", #"{"path":"index.html","old":"o","new":"x"}"#, files).text.hasPrefix(
                "Error: the old text is 3 times"))
        #expect(
            try await answer("replace", #"{"path":"index.html","old":"o","new":"x","all":true}"#, files)
                == .done("Replaced 3 in index.html."))
    }
}
