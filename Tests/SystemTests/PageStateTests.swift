import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(25))) struct PageStateTests {
    @Test("In a real browser: every state that a page can show, on a fleet that is hurt")
    func states() async throws {
        try await withTemporaryDirectory { folder in
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let log = folder + "/browser.log"
            try Data().write(to: URL(filePath: log))
            let states = Process()
            states.executableURL = root.appending(path: ".venv-test/bin/python")
            states.arguments = [
                root.appending(path: "scripts/browser-states").path, root.appending(path: ".build/debug").path,
            ]
            let output = try FileHandle(forWritingTo: URL(filePath: log))
            states.standardOutput = output
            states.standardError = output
            states.standardInput = FileHandle.nullDevice
            try states.run()
            let deadline = ContinuousClock.now + .seconds(1200)
            while states.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(100)) }
            let isLate = states.isRunning
            if isLate { kill(states.processIdentifier, SIGKILL) }
            while states.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            #expect(!isLate && states.terminationStatus == 0, "\(said.suffix(3000))")
        }
    }
}
