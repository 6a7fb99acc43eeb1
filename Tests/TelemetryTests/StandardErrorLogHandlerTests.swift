import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct StandardErrorLogHandlerTests {
    private final class Lines: Sendable {
        private let text = Mutex("")
        func append(_ line: String) { text.withLock { $0 += line } }
        var value: String { text.withLock { $0 } }
    }

    private func logged(_ format: LogFormat, _ body: (Logger) -> Void) -> String {
        let lines = Lines()
        body(
            Logger(label: "test") {
                StandardErrorLogHandler(label: $0, level: .info, format: format) { lines.append($0) }
            })
        return lines.value
    }

    @Test("A line has its time, level, sentence and metadata")
    func logfmt() {
        let line = logged(.logfmt) { logger in
            var logger = logger
            logger[metadataKey: "host.id"] = "host_1"
            logger.notice("Leased job", metadata: ["job.id": "job_1", "reason": "it is \"free\""])
        }
        #expect(
            line.hasSuffix(
                "Z level=notice logger=test message=\"Leased job\" host.id=host_1 job.id=job_1 reason=\"it is \\\"free\\\"\"\n"
            ))
    }

    @Test("JSON lines are JSON, whatever is in them")
    func json() throws {
        let line = logged(.json) { $0.error("Broke", metadata: ["cause": "line\nbreak \u{1} \"quote\" \\ é 🙂"]) }
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["cause"] == "line\nbreak \u{1} \"quote\" \\ é 🙂")
        #expect(object?["level"] == "error")
        #expect(line.split(separator: "\n").count == 1)
    }

    @Test("What somebody else chose cannot begin a line of the log")
    func injection() {
        for format in LogFormat.allCases {
            let text = logged(format) { $0.info("Asked", metadata: ["path": "/a\nlevel=error message=fake\r\u{2028}"]) }
            #expect(text.filter { $0.isNewline }.count == 1)
        }
    }

    @Test("A value of any length makes a line of bounded length")
    func bounded() {
        let text = logged(.logfmt) {
            $0.info("Asked", metadata: ["path": "\(String(repeating: "a", count: 1_000_000))"])
        }
        #expect(text.utf8.count < 10_000)
    }

    @Test("What is below the level is not written")
    func level() {
        #expect(logged(.json) { $0.debug("Whisper") }.isEmpty)
    }
}
