import Foundation
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A scripted model that answers on a TCP port, as a provider would, and only to who has the key. It dies with the tests.
struct ScriptedModel {
    let port: Int
    private let log: String
    private let child: TestChild

    init(key: String, in folder: String) async throws {
        port = try freePorts(1)[0]
        log = folder + "/model-requests.jsonl"
        let scenario = folder + "/scenario.json"
        try Self.scenario([], key: key).write(toFile: scenario, atomically: true, encoding: .utf8)
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "EnginesTests/Fixtures/fake_model_server.py").path
        child = try await TestChild(
            ["/usr/bin/python3", script, "--scenario", scenario, "--port", "\(port)", "--log", log])
        for _ in 0..<600 {
            if (try? await control("GET", "state", nil)) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("the scripted model does not answer")
    }

    var address: String { "127.0.0.1:\(port)" }

    /// From now on these replies, in the words of `fake_model_server.py`, one for each request.
    func play(_ steps: [String], key: String) async throws {
        try await control("POST", "scenario", Self.scenario(steps, key: key))
    }

    func stop() { child.kill() }

    /// What was asked since it began, a line for each request; credentials are blotted out in it.
    var requests: [String] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    private static func scenario(_ steps: [String], key: String) -> String {
        #"{"require_key": "\#(key)", "steps": [\#(steps.joined(separator: ","))]}"#
    }

    @discardableResult
    private func control(_ method: String, _ name: String, _ body: String?) async throws -> Data {
        var request = URLRequest(url: URL(string: "http://\(address)/__fake/\(name)")!, timeoutInterval: 10)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            throw TestFailure("the scripted model did not take it: \(String(decoding: data, as: UTF8.self))")
        }
        return data
    }
}

/// The command-line tools that `scripts/install-test-tools` installed.
enum CommandLineTool: String, CaseIterable {
    case codex, claude

    var provider: String { self == .codex ? "openai-responses" : "anthropic-messages" }
    var model: String { self == .codex ? "gpt-5.4" : "claude-sonnet-4-5" }

    func locate() throws -> String {
        let variable = "PAGEWRIGHT_" + rawValue.uppercased()
        let tools = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: ".venv-test").path
        var candidates = [ProcessInfo.processInfo.environment[variable]].compactMap { $0 }
        if self == .codex {
            candidates.append(tools + "/bin/codex")
        } else {
            for python in (try? FileManager.default.contentsOfDirectory(atPath: tools + "/lib")) ?? [] {
                candidates.append("\(tools)/lib/\(python)/site-packages/claude_agent_sdk/_bundled/claude")
            }
        }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw TestFailure("there is no \(rawValue): run scripts/install-test-tools, or set \(variable)")
        }
        return found
    }

    /// Replies that add the page `thanks.html` and then report.
    func addingPage(_ html: String) -> [String] {
        let text = Self.quoted(html)
        switch self {
        case .codex:
            let patch = "*** Begin Patch\n*** Add File: thanks.html\n+\(html)\n*** End Patch\n"
            return [call("apply_patch", Self.quoted(patch)), say("Added a page that says thank you.")]
        case .claude:
            return [
                call("Write", #"{"file_path": "/site/thanks.html", "content": \#(text)}"#),
                say("Added a page that says thank you."),
            ]
        }
    }

    /// A reply that only looks at the home page.
    var looking: String {
        self == .codex
            ? call("exec_command", #"{"cmd": "cat index.html"}"#) : call("Read", #"{"file_path": "/site/index.html"}"#)
    }

    func say(_ text: String) -> String { #"{"reply": {"text": "\#(text)", "usage": \#(Self.usage)}}"# }

    func call(_ tool: String, _ input: String) -> String {
        #"{"reply": {"tools": [{"name": "\#(tool)", "input": \#(input)}], "usage": \#(Self.usage)}}"#
    }

    /// 1,000 tokens each, for both providers.
    private static let usage = #"{"input": 900, "output": 100}"#

    static func quoted(_ text: String) -> String {
        let data = (try? JSONSerialization.data(withJSONObject: [text])) ?? Data()
        return String(String(decoding: data, as: UTF8.self).dropFirst().dropLast())
    }
}
