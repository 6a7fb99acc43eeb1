import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(25))) struct PageFlowTests {
    @Test("In a real browser: the main job with and without JavaScript, and every page without a barrier")
    func browser() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try system.startCoordinator()
            try await APIClient(base: system.api).send("GET", "/readyz", expecting: [200])
            try await system.join()
            try system.startAgent()
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let log = folder + "/browser.log"
            try Data().write(to: URL(filePath: log))
            let flow = Process()
            flow.executableURL = root.appending(path: ".venv-test/bin/python")
            // Beside all other tests the worker's own browser may be too late with its pictures: `make test-ui` looks at those.
            flow.arguments = [root.appending(path: "scripts/browser-flow").path, system.api, "--skip", "looks"]
            let output = try FileHandle(forWritingTo: URL(filePath: log))
            flow.standardOutput = output
            flow.standardError = output
            flow.standardInput = FileHandle.nullDevice
            try flow.run()
            let deadline = ContinuousClock.now + .seconds(1200)
            while flow.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(100)) }
            let isLate = flow.isRunning
            if isLate { kill(flow.processIdentifier, SIGKILL) }
            while flow.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            #expect(!isLate && flow.terminationStatus == 0, "\(said.suffix(3000))")
        }
    }
}
