import Foundation

/// A scripted model that answers on a Unix socket, and what it was asked.
final class FakeModel {
    let socket: String
    private let log: String
    private let process = Process()

    /// - Parameter steps: replies in the words of `fake_model_server.py`, one for each request.
    init(_ steps: String, in folder: String) async throws {
        let sockets = folder + "/sockets"
        try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
        socket = sockets + "/model.sock"
        log = folder + "/requests.jsonl"
        let scenario = folder + "/scenario.json"
        try #"{"steps": [\#(steps)]}"#.write(toFile: scenario, atomically: true, encoding: .utf8)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/fake_model_server.py"
        ).path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, "--scenario", scenario, "--unix", socket, "--log", log]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // It prints one line when it listens.
        _ = try output.fileHandleForReading.read(upToCount: 1)
    }

    // A child of this program inherits blocked signals, so asking it to end has no effect.
    deinit { kill(process.processIdentifier, SIGKILL) }

    /// The bodies of all requests so far.
    var requests: [String] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }
}

/// Where `scripts/install-test-tools` put the Codex CLI, or what PAGEWRIGHT_CODEX names.
enum CodexProgram {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "there is no Codex CLI: run scripts/install-test-tools, or set PAGEWRIGHT_CODEX" }
    }

    static func locate() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let candidates = [
            ProcessInfo.processInfo.environment["PAGEWRIGHT_CODEX"], root.appending(path: ".venv-test/bin/codex").path,
        ].compactMap { $0 }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Missing()
        }
        return found
    }
}
