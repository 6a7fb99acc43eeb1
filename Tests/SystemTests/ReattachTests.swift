import Foundation
import TestSupport
import Testing

/// The agent dies or is replaced while a slow edit runs, as programs: the edit goes on without it, and the next agent
/// completes it in the same attempt.
@Suite(.serialized) struct ReattachTests {
    /// In the place of the Codex CLI: says what it would say, takes its time, and changes the home page.
    private static let slowEditor = """
        #!/bin/sh
        cat > /dev/null
        echo '{"type":"thread.started","thread_id":"t"}'
        echo '{"type":"turn.started"}'
        sleep 6
        sed -i 's/<h1[^>]*>/<h1>Survived /' index.html
        echo '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"Done slowly."}}'
        echo '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'

        """

    @Test("A slow edit survives its agent", arguments: [SIGKILL, SIGTERM])
    func survives(signal: Int32) async throws {
        try await withTemporaryDirectory { folder in
            let editor = folder + "/codex"
            try Self.slowEditor.write(toFile: editor, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
            try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
            let options = ["--codex", editor, "--model-socket", folder + "/model/model.sock", "--model", "gpt-5.4"]

            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            system.agent?.stop()
            try system.startAgent(options: options)
            try await system.until("the worker to be there") {
                let hosts = try? await client.once.send("GET", "/api/v1/hosts", expecting: [200])
                return "\(hosts ?? [:])".contains("codex")
                    || FileManager.default.fileExists(atPath: folder + "/a/run/agent.sock")
            }
            try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Survive", "engine": "codex"], expecting: [202])
            try await system.until("the edit to run") { Self.printed(in: folder).contains("turn.started") }

            let agent = try #require(system.agent)
            kill(agent.process.processIdentifier, signal)
            let deadline = ContinuousClock.now + .seconds(60)
            while agent.process.isRunning, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(!agent.process.isRunning)
            #expect(!Self.printed(in: folder).contains("turn.completed"), "it still runs")
            try system.startAgent(options: options)

            try await system.until("the job to end") {
                guard let job = try? await Self.job(client.once) else { return false }
                return ["succeeded", "failed", "dead", "cancelled"].contains(job["state"] as? String)
            }
            let job = try await Self.job(client)
            #expect(job["state"] as? String == "succeeded", "\(job)")
            #expect(job["attempt"] as? Int == 1, "\(job)")
            try await system.until("the next agent to sweep") { Self.printed(in: folder).isEmpty }
        }
    }

    private static func job(_ client: APIClient) async throws -> [String: Any] {
        let jobs = try await client.send("GET", "/api/v1/jobs", expecting: [200])["items"] as? [[String: Any]]
        return try #require(jobs?.first)
    }

    /// What the tasks of the agent printed so far, as their shims keep it.
    private static func printed(in folder: String) -> String {
        let jobs = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/a/jobs")) ?? []
        return jobs.compactMap { FileManager.default.contents(atPath: "\(folder)/a/jobs/\($0)/task/output") }
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}
