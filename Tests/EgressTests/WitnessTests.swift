import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Egress

/// Who watches a task's way sees what the task sees, earlier than the task, and may end it; and a way may lead to nobody.
@Suite(.serialized) struct WitnessTests {
    private final class Witness: EgressWitness {
        func taskAsks() async {}
        let notes = Mutex<[String]>([])
        let limit: Int
        let began = Mutex(0)
        init(limit: Int) { self.limit = limit }

        func mayAsk() -> Bool { began.withLock { $0 < limit } }

        func answer(to operation: String, contentType: String) -> any EgressAnswerReader {
            began.withLock { $0 += 1 }
            return Reader(witness: self, title: "\(operation) \(contentType)")
        }

        struct Reader: EgressAnswerReader {
            let witness: Witness
            let title: String
            var text = ""
            mutating func read(_ bytes: [UInt8]) { text += String(decoding: bytes, as: UTF8.self) }
            mutating func finish() async {
                let note = "\(title): \(text)"
                witness.notes.withLock { $0.append(note) }
            }
        }
    }

    @Test("Good answers are seen whole, without the key; then there are no more")
    func seen() async throws {
        let witness = Witness(limit: 2)
        try await Way.open(
            witness: witness,
            answering: { asked in
                ModelServer.Answer(
                    status: asked.body == "bad" ? 500 : 200, pieces: ["said ", Way.key, " and \(asked.body)"])
            }
        ) { way in
            #expect(try await way.say(Way.request(body: "bad")).hasPrefix("HTTP/1.1 500"))
            for body in ["one", "two"] {
                #expect(
                    try await way.say(Way.request("/v1/responses?beta=true", body: body)).hasPrefix("HTTP/1.1 200"))
            }
            let refused = try await way.say(Way.request(body: "three"))
            #expect(refused.hasPrefix("HTTP/1.1 403") && refused.contains("token-budget"))
            #expect(way.server.asked.map(\.body) == ["bad", "one", "two"], "the third was not asked")
            let stars = String(repeating: "*", count: Way.key.utf8.count)
            #expect(
                witness.notes.withLock { $0 } == [
                    "/v1/responses application/json: said \(stars) and one",
                    "/v1/responses application/json: said \(stars) and two",
                ])
            #expect(way.log.lines.contains { $0.hasPrefix("Refused a request") && $0.contains("rule=token-budget") })
        }
    }

    private final class Playback: EgressPlayback {
        func taskAsks() async {}
        private let left = Mutex(1)
        func next(to operation: String) -> (contentType: String, body: [UInt8])? {
            let isThere = left.withLock { left in
                defer { left -= operation == "/v1/responses" ? 1 : 0 }
                return operation == "/v1/responses" && left > 0
            }
            return isThere ? ("text/event-stream", Array("data: again\n\n".utf8)) : nil
        }
    }

    @Test("What is played back comes from nobody: the model is not asked, and nothing else can be")
    func playedBack() async throws {
        try await Way.open(playback: Playback()) { way in
            #expect(try await way.say(Way.request("/v1/files")).hasPrefix("HTTP/1.1 409"))
            #expect(try await way.say(Way.request(method: "GET", body: "")).hasPrefix("HTTP/1.1 405"))
            let said = try await way.say(Way.request())
            #expect(said.contains("content-type: text/event-stream") && said.contains("data: again"))
            #expect(try await way.say(Way.request()).contains("Nothing more was said then."))
            #expect(way.server.connections == 0)
        }
    }
}
