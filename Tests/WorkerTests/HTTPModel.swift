import Foundation
import TestSupport

/// A scripted model on a TCP port, and what it was asked. It dies with the tests.
struct HTTPModel {
    let port: Int
    private let log: String
    private let child: TestChild

    /// - Parameter answers: texts, one for each request; then it refuses.
    init(_ answers: [String], in folder: String, name: String) async throws {
        port = try freePorts(1)[0]
        log = "\(folder)/\(name).jsonl"
        let scenario = "\(folder)/\(name).json"
        let steps = answers.map { ["reply": ["text": $0]] }
        try JSONSerialization.data(withJSONObject: ["steps": steps]).write(to: URL(filePath: scenario))
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "EnginesTests/Fixtures/fake_model_server.py").path
        let ready = "\(folder)/\(name).ready"
        child = try await TestChild(
            [
                "/bin/sh", "-c", "exec /usr/bin/python3 \"$0\" --scenario \"$1\" --port \"$2\" --log \"$3\" > \"$4\"",
                script, scenario, "\(port)", log, ready,
            ])
        for _ in 0..<1200 {
            if let text = FileManager.default.contents(atPath: ready), !text.isEmpty { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("the scripted model does not answer")
    }

    func stop() { child.kill() }

    /// Every request, a line for each; credentials are blotted out in it.
    var requests: [String] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }
}
