import BlockingIO
import Domain
import Egress
import Engines
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// What a worker counts and keeps of what a task's model says.
@Suite struct TrafficWatchTests {
    private static func answer(_ input: Int, _ output: Int) -> [UInt8] {
        Array(
            #"""
            event: response.created
            data: {"type":"response.created","response":{"id":"r"}}

            event: response.completed
            data: {"type":"response.completed","response":{"usage":{"input_tokens":\#(input),"output_tokens":\#(output)}}}


            """#.utf8)
    }

    private func hear(_ watch: TrafficWatch, _ bytes: [UInt8], isWhole: Bool = true) async {
        var reader = watch.answer(to: "/v1/responses", contentType: "text/event-stream")
        reader.read(bytes)
        if isWhole { await reader.finish() }
    }

    @Test("When the tokens are used up nothing more is answered, and that is said once")
    func budget() async throws {
        try await withTemporaryDirectory { folder in
            let refusals = Mutex(0)
            let watch = TrafficWatch(
                budget: 250, path: folder + "/traffic", pool: BlockingPool(label: "test", width: 1)
            ) { refusals.withLock { $0 += 1 } }
            #expect(watch.mayAsk())
            await hear(watch, Self.answer(90, 10))
            #expect(watch.mayAsk())
            // What broke off was paid for too.
            await hear(watch, Self.answer(140, 10), isWhole: false)
            #expect(!watch.mayAsk() && !watch.mayAsk())
            #expect(refusals.withLock { $0 } == 1 && watch.hasRefused)
            #expect(watch.usage == TokenUsage(uncachedInput: 230, cachedInput: 0, output: 20))
            #expect(watch.traffic.answers.count == 1)
        }
    }

    @Test("The next agent knows what the one before saw")
    func successor() async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 1)
            let first = TrafficWatch(budget: nil, path: folder + "/traffic", pool: pool) {}
            await hear(first, Self.answer(90, 10))
            await hear(first, Self.answer(80, 5))
            // Killed in the middle of a line.
            let file = try FileHandle(forWritingTo: URL(filePath: folder + "/traffic"))
            try file.seekToEnd()
            try file.write(contentsOf: Data(#"{"n":2,"oper"#.utf8))
            try file.close()
            let next = TrafficWatch(budget: 186, path: folder + "/traffic", pool: pool) {}
            #expect(next.usage == TokenUsage(uncachedInput: 170, cachedInput: 0, output: 15))
            #expect(next.mayAsk())
            await hear(next, Self.answer(1, 1))
            #expect(!next.mayAsk())
            #expect(next.traffic.answers.map(\.number) == [0, 1, 2])
        }
    }

    @Test("That there was no room for all answers is known to the next agent, which keeps none of them")
    func noRoom() async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 1)
            func watch() -> TrafficWatch { TrafficWatch(budget: nil, path: folder + "/traffic", pool: pool) {} }
            func half() -> [UInt8] {
                let text = String(repeating: "x", count: JobCompletion.transcriptLimit / 2)
                let item = #"{"type":"response.output_item.done","item":{"text":"\#(text)"}}"#
                return Array("event: response.output_item.done\ndata: \(item)\n\n".utf8) + Self.answer(10, 1)
            }
            let first = watch()
            await hear(first, half())
            #expect(!first.traffic.answers.isEmpty)
            await hear(first, half())
            #expect(first.traffic.answers.isEmpty)
            let next = watch()
            #expect(next.traffic.answers.isEmpty && next.usage.total == 22)
            await hear(next, Self.answer(5, 1))
            #expect(next.traffic.answers.isEmpty, "the answers after a gap are no transcript")
        }
    }

    @Test("What the model said when it declined is known, also to the next agent, until it says something else")
    func refusal() async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 1)
            func watch() -> TrafficWatch { TrafficWatch(budget: nil, path: folder + "/traffic", pool: pool) {} }
            let part = #"{"type":"refusal","refusal":"I cannot do that."}"#
            let item =
                #"{"type":"response.output_item.done","item":{"type":"message","content":[\#(part)]}}"#
            let declined = Array("event: response.output_item.done\ndata: \(item)\n\n".utf8) + Self.answer(10, 1)
            let first = watch()
            #expect(first.refusal == nil)
            await hear(first, declined, isWhole: false)
            #expect(first.refusal == nil, "it broke off")
            await hear(first, declined)
            #expect(first.refusal == "I cannot do that." && watch().refusal == "I cannot do that.")
            await hear(first, Self.answer(10, 1))
            #expect(first.refusal == nil && watch().refusal == nil)
        }
    }

    @Test("What became of files after each answer is in the transcript, short texts with their content")
    func effects() async throws {
        try await withTemporaryDirectory { folder in
            let site = folder + "/site"
            try FileManager.default.createDirectory(atPath: site + "/sub", withIntermediateDirectories: true)
            func write(_ text: String, _ name: String) throws {
                try text.write(toFile: site + "/" + name, atomically: false, encoding: .utf8)
            }
            try write("old", "index.html")
            try write("old", "gone.html")
            let files = WorkspaceWatch(site: site)
            files.begin()
            let watch = TrafficWatch(
                budget: nil, workspace: files, path: folder + "/traffic", pool: BlockingPool(label: "test", width: 1)
            ) {}
            await watch.taskAsks()
            await hear(watch, Self.answer(10, 1))
            try write("newer", "index.html")
            try write(String(repeating: "x", count: 70_000), "sub/large.txt")
            try FileManager.default.removeItem(atPath: site + "/gone.html")
            try FileManager.default.createSymbolicLink(atPath: site + "/link", withDestinationPath: "/etc/passwd")
            await watch.taskAsks()
            await hear(watch, Self.answer(10, 1))
            await watch.lookAtWorkspace()
            let answers = watch.traffic.answers
            let effects = try #require(answers.first?.effects)
            #expect(effects.map(\.path) == ["gone.html", "index.html", "sub/large.txt"])
            #expect(effects[0].digest == nil && effects[1].text == "newer" && effects[2].text == nil)
            #expect(effects[2].digest != nil && answers.last?.effects == [])
            #expect(ModelTraffic(serialized: watch.traffic.serialized) == watch.traffic)
            // Who comes later holds it against the base.
            let later = WorkspaceWatch(site: site)
            let base = try Manifest([
                Manifest.Entry(path: SitePath("gone.html"), sizeInBytes: 3, digest: try #require(effects[1].digest)),
                Manifest.Entry(path: SitePath("index.html"), sizeInBytes: 5, digest: try #require(effects[1].digest)),
            ])
            #expect(later.begin(since: base).map(\.path) == ["sub/large.txt", "gone.html"])
        }
    }

    @Test("Answers are said again once each, in their order, to the operation that they belong to")
    func playback() {
        let answers = ["a", "b", "c"].enumerated().map { number, body in
            RecordedAnswer(
                number: number, operation: body == "b" ? "/v1/messages/count_tokens" : "/v1/messages",
                contentType: "x", body: body, usage: .zero)
        }
        let playback = TrafficPlayback(ModelTraffic(answers: answers))
        func next(_ operation: String) -> String? {
            playback.next(to: operation).map { String(decoding: $0.body, as: UTF8.self) }
        }
        #expect(next("/v1/messages") == "a" && next("/v1/messages") == "c")
        #expect(next("/v1/messages/count_tokens") == "b" && !playback.hasRunOut)
        #expect(next("/v1/messages") == nil && playback.hasRunOut)
    }
}
