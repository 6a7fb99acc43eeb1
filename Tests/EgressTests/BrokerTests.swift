import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Egress

/// What is let through, and how it looks outside.
@Suite(.serialized) struct BrokerTests {
    @Test("A request reaches the model with the real key, and with nothing else that the task says about itself")
    func through() async throws {
        try await Way.open { way in
            let said = try await way.say(
                Way.request(
                    headers: [
                        "authorization: Bearer stolen", "x-api-key: stolen", "cookie: a=b",
                        "content-type: application/json",
                        "x-forwarded-for: 1.2.3.4", "user-agent: secret/1", "api-key: stolen",
                    ], body: #"{"input":"hello"}"#))
            #expect(said.hasPrefix("HTTP/1.1 200 OK"), "\(said)")
            #expect(said.contains(#"{"answer":true}"#))
            let asked = try #require(way.server.asked.first)
            #expect(way.server.asked.count == 1)
            #expect(asked.method == "POST" && asked.uri == "/v1/responses" && asked.body == #"{"input":"hello"}"#)
            #expect(
                asked.headers == [
                    "host": "127.0.0.1:\(way.server.port)", "authorization": "Bearer \(Way.key)",
                    "content-type": "application/json", "accept-encoding": "identity", "connection": "close",
                    "content-length": "17",
                ])
            let line = try #require(way.log.lines.first { $0.hasPrefix("Let a request through") })
            #expect(line.contains("job.id=\(way.job)") && line.contains("status=200") && line.contains("bytes.sent=17"))
        }
    }

    @Test("An answer comes as it is made, piece by piece, also when there are many requests on one connection")
    func streams() async throws {
        try await Way.open(answering: { asked in
            var answer = ModelServer.Answer()
            answer.headers = [("content-type", "text/event-stream")]
            answer.pieces = (1...5).map { "data: \($0) \(asked.body)\n\n" }
            return answer
        }) { way in
            let keptAlive = Way.request(body: "one").replacing("connection: close", with: "connection: keep-alive")
            let said = try await way.say(keptAlive + Way.request(body: "two"))
            #expect(said.components(separatedBy: "HTTP/1.1 200 OK").count == 3, "\(said)")
            #expect(said.contains("data: 5 one") && said.contains("data: 5 two"))
            #expect(said.contains("content-type: text/event-stream"))
        }
    }

    @Test("An error of the model comes through with its status and its reason")
    func errors() async throws {
        try await Way.open(answering: { _ in
            ModelServer.Answer(status: 429, headers: [("retry-after", "7")], pieces: [#"{"error":"slow down"}"#])
        }) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 429"))
            #expect(said.contains("retry-after: 7") && said.contains("slow down"))
        }
    }

    @Test("The key never comes back, however a server echoes it and wherever its pieces are cut")
    func echo() async throws {
        try await Way.open(answering: { asked in
            let key = asked.headers["authorization"] ?? ""
            return ModelServer.Answer(
                headers: [("x-request-id", key), ("set-cookie", key), ("content-type", "text/plain")],
                pieces: ["you sent \(key) and ", String(key.prefix(15)), String(key.dropFirst(15)), " twice sk-the-"])
        }) { way in
            let said = try await way.say(Way.request())
            #expect(!said.contains(Way.key), "\(said)")
            #expect(!said.lowercased().contains("set-cookie"))
            #expect(said.contains("you sent Bearer **************************"))
            // In a chunk of its own: it was held back until the end said that it is no key.
            #expect(said.contains(" twice ") && said.contains("\r\nsk-the-\r\n"), "\(said)")
        }
    }

    @Test("A server that points elsewhere is not followed", arguments: [301, 302, 303, 307, 308])
    func redirects(status: Int) async throws {
        let elsewhere = try await ModelServer.start()
        defer { elsewhere.stop() }
        let port = elsewhere.port
        try await Way.open(answering: { _ in
            ModelServer.Answer(status: status, headers: [("location", "http://127.0.0.1:\(port)/v1/responses")])
        }) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 502") && said.contains("redirect"))
            #expect(!said.contains("\(port)"))
            #expect(elsewhere.connections == 0)
        }
    }

    @Test("A task that asked often enough hears so, and the model hears nothing")
    func requestBudget() async throws {
        try await Way.open(requestBudget: 2) { way in
            for _ in 0..<2 {
                let said = try await way.say(Way.request())
                #expect(said.hasPrefix("HTTP/1.1 200"))
            }
            let said = try await way.say(Way.request())
            #expect(said.contains("request-budget"))
            #expect(way.server.asked.count == 2)
        }
    }

    @Test("An answer over the budget of bytes is cut off")
    func byteBudget() async throws {
        try await Way.open(
            byteBudget: 10_000,
            answering: { _ in ModelServer.Answer(pieces: (0..<50).map { _ in String(repeating: "x", count: 1000) }) }
        ) { way in
            let said = try await way.say(Way.request())
            #expect(said.utf8.count < 11_000)
            let next = try await way.say(Way.request())
            #expect(next.contains("byte-budget"))
            #expect(way.log.lines.contains { $0.hasPrefix("Refused") && $0.contains("byte-budget") })
        }
    }

    @Test("A request over the limit is refused, and the model hears nothing of it")
    func bodyLimit() async throws {
        try await Way.open { way in
            let said = try await way.say(Way.request(body: String(repeating: "x", count: 2 << 20)))
            #expect(said.hasPrefix("HTTP/1.1 413"))
            #expect(way.server.connections == 0)
        }
    }

    @Test("A model that never answers ends in words")
    func silence() async throws {
        try await Way.open(
            settings: { settings, _ in settings.silenceLimit = .milliseconds(300) },
            answering: { _ in ModelServer.Answer(isSilent: true) }
        ) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 504") && said.contains("silence"), "\(said)")
        }
    }

    @Test("How long a model may be silent is what was configured for it")
    func configuredSilence() async throws {
        try await Way.open(silence: .milliseconds(300), answering: { _ in ModelServer.Answer(isSilent: true) }) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 504") && said.contains("silence"), "\(said)")
        }
        try await Way.open(
            silence: .seconds(60), settings: { settings, _ in settings.silenceLimit = .milliseconds(1) },
            answering: { _ in ModelServer.Answer() }
        ) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 200"), "\(said)")
        }
    }

    @Test("A model that stops in the middle is cut off, so that nobody takes half for all")
    func half() async throws {
        try await Way.open(
            settings: { settings, _ in settings.silenceLimit = .milliseconds(300) },
            answering: { _ in ModelServer.Answer(pieces: ["half"], ends: false) }
        ) { way in
            let said = try await way.say(Way.request())
            #expect(said.contains("half") && !said.contains("\r\n0\r\n"), "\(said)")
        }
    }

    @Test("Nobody at the model's address is said in words")
    func nobody() async throws {
        try await Way.open(settings: { _, _ in }) { way in
            way.server.stop()
            // The listener may take a moment to be gone.
            var said = ""
            for _ in 0..<50 where !said.contains("connection") { said = try await way.say(Way.request()) }
            #expect(said.hasPrefix("HTTP/1.1 502") && said.contains("connection"), "\(said)")
        }
    }
}
