import TestSupport
import Testing

@testable import Worker

@Suite struct JobLogTests {
    @Test("A log is read piece by piece, and no character is cut in two")
    func pieces() async throws {
        try await withTemporaryDirectory { folder in
            let log = try JobLog(path: folder + "/log")
            log.append("äöü€")
            var text = ""
            var position: Int64 = 0
            while position < log.size {
                let piece = log.read(from: position, limit: 4)
                #expect(piece.droppedBytes == 0)
                #expect(!piece.text.contains("\u{FFFD}"))
                text += piece.text
                position = piece.next
            }
            #expect(text == "äöü€\n")
        }
    }

    @Test("A flood keeps its last 4 MiB and says how much is gone")
    func ring() async throws {
        try await withTemporaryDirectory { folder in
            let log = try JobLog(path: folder + "/log")
            let line = String(repeating: "x", count: 99_999)
            for _ in 0..<100 { log.append(line) }
            log.append("the end")
            let piece = log.read(from: 0, limit: 1000)
            #expect(piece.droppedBytes == 10_000_008 - JobLog.capacity)
            #expect(piece.next == piece.droppedBytes + 1000)
            let end = log.read(from: log.size - 8, limit: 1000)
            #expect(end.text == "the end\n")
        }
    }
}
