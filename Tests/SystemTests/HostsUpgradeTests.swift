import Foundation
import TestSupport
import Testing

/// New versions of the agent on their way to real hosts: coordinator, agents, service managers, the operator's command.
@Suite(.serialized, .timeLimit(.minutes(15))) struct HostsUpgradeTests {
    /// In the place of the Codex CLI: takes its time, and changes the home page.
    private static let slowEditor = """
        #!/bin/sh
        cat > /dev/null
        echo '{"type":"thread.started","thread_id":"t"}'
        echo '{"type":"turn.started"}'
        sleep 60
        sed -i 's/<h1[^>]*>/<h1>Survived /' index.html
        echo '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"Done slowly."}}'
        echo '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'

        """

    /// A system with two hosts that can be upgraded; the first does everything, the second only works.
    private func withFleet(
        _ body: (_ system: TestSystem, _ client: APIClient, _ hosts: [ManagedAgent]) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            system.agent?.stop()
            let editor = folder + "/codex"
            try Self.slowEditor.write(toFile: editor, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
            try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
            try await system.join(as: ["worker"], state: folder + "/b", by: client)
            let first = try await ManagedAgent(
                folder: folder + "/managed-a",
                options: system.runOptions + [
                    "--browser", "off",
                    "--codex", editor, "--model-socket", folder + "/model/model.sock", "--model", "gpt-5.4",
                ])
            defer { first.stop() }
            let second = try await ManagedAgent(
                folder: folder + "/managed-b", options: system.runOptions(state: folder + "/b") + ["--browser", "off"])
            defer { second.stop() }
            try await system.until("both hosts to be there") {
                try await Self.versions(client) == ["1.0.0", "1.0.0"]
            }
            try await body(system, client, [first, second])
        }
    }

    /// The versions of the hosts that are connected, sorted.
    private static func versions(_ client: APIClient) async throws -> [String] {
        let hosts = try await client.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
        return (hosts ?? []).filter { $0["connected"] as? Bool == true }
            .compactMap { $0["agent_version"] as? String }.sorted()
    }

    private struct Edit: Equatable {
        let state: String
        let attempt: Int
    }

    /// The job that was made last.
    private static func edit(_ client: APIClient) async throws -> Edit {
        let jobs = try await client.send("GET", "/api/v1/jobs", expecting: [200])["items"] as? [[String: Any]]
        return Edit(state: jobs?.first?["state"] as? String ?? "", attempt: jobs?.first?["attempt"] as? Int ?? 0)
    }

    private static func members(_ rollout: [String: Any]) -> [String] {
        (rollout["members"] as? [[String: Any]] ?? []).compactMap { $0["state"] as? String }
    }

    @Test("All hosts get the version one after the other, a task that runs is not lost, and it is told in all places")
    func upgrade() async throws {
        try await withFleet { system, client, hosts in
            try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Survive", "engine": "codex"], expecting: [202])
            try await system.until("the edit to run") { try await Self.edit(client).state == "leased" }
            let upgraded = try await Tool(
                "pagewright", ["hosts", "upgrade", "--to", "1.1.0"], environment: system.environment(of: client),
                in: system.folder
            ).wait(atMost: .seconds(240))
            #expect(upgraded.status == 0, "\(upgraded)")
            #expect(upgraded.output.contains("2 of 2 hosts have 1.1.0"))
            #expect(upgraded.output.contains("succeeded"))
            #expect(try await Self.versions(client) == ["1.1.0", "1.1.0"])
            #expect(hosts.map(\.wanted) == ["1.1.0", "1.1.0"])
            // Otherwise nothing was survived.
            let running = try await Self.edit(client)
            #expect(running == Edit(state: "leased", attempt: 1))

            try await system.until("the edit to end") {
                try await ["succeeded", "failed", "dead"].contains(Self.edit(client).state)
            }
            let ended = try await Self.edit(client)
            #expect(ended == Edit(state: "succeeded", attempt: 1))
            let listed = try await system.pagewright(["hosts", "rollouts", "--json"], as: client)
            let rollout = try #require((listed.json["items"] as? [[String: Any]])?.first)
            #expect(rollout["state"] as? String == "succeeded")
            #expect(Self.members(rollout) == ["healthy", "healthy"])
            let events = try await system.pagewright(["events", "--after", "0", "--json"], as: client).output
            let told = events.split(separator: "\n").filter { $0.contains("rollout.changed") }
            #expect(told.contains { $0.contains(#""state":"running""#) }, "\(told)")
            #expect(told.last?.contains(#""state":"succeeded""#) == true, "\(told)")
        }
    }

    @Test(
        "A version that crashes or hangs goes back on the first host, and no other host is begun",
        arguments: ["2.0.0+crashes", "2.0.0+hangs"])
    func broken(version: String) async throws {
        try await withFleet { system, client, hosts in
            let upgraded = try await Tool(
                "pagewright", ["hosts", "upgrade", "--to", version], environment: system.environment(of: client),
                in: system.folder
            ).wait(atMost: .seconds(240))
            #expect(upgraded.status != 0)
            #expect(upgraded.output.contains("stopped"), "\(upgraded)")
            #expect(upgraded.errors.contains("the roll-out was stopped"), "\(upgraded)")
            let listed = try await system.pagewright(["hosts", "rollouts", "--json"], as: client)
            let rollout = try #require((listed.json["items"] as? [[String: Any]])?.first)
            #expect(Self.members(rollout).sorted() == ["reverted", "waiting"])
            #expect((rollout["reason"] as? String)?.contains("was not well within 20 s") == true, "\(rollout)")
            #expect(hosts.map(\.wanted) == ["1.0.0", "1.0.0"])
            try await system.until("both hosts to be there") {
                try await Self.versions(client) == ["1.0.0", "1.0.0"]
            }
            try await system.until("the site to be served") { await system.visit("bakery.localhost")?.status == 200 }
        }
    }

    @Test("A roll-out at a later date waits for it, can be cancelled until then, and begins by itself")
    func scheduled() async throws {
        try await withFleet { system, client, hosts in
            let late = try await system.pagewright(
                ["hosts", "upgrade", "--to", "1.1.0", "--at", "2099-01-01T03:00:00Z", "--json"], as: client)
            #expect(late.status == 0 && late.json["state"] as? String == "scheduled", "\(late)")
            #expect((late.json["starts_at"] as? String)?.hasPrefix("2099-01-01T03:00:00") == true, "\(late)")
            let second = try await system.pagewright(["hosts", "upgrade", "--to", "1.2.0"], as: client)
            #expect(second.status != 0 && second.errors.contains("rollouts cancel"), "\(second)")
            let id = try #require(late.json["id"] as? String)
            let cancelled = try await system.pagewright(["hosts", "rollouts", "cancel", id, "--json"], as: client)
            #expect(cancelled.json["state"] as? String == "cancelled", "\(cancelled)")

            let at = Date.now.addingTimeInterval(6)
            let soon = try await system.pagewright(
                ["hosts", "upgrade", "--to", "1.1.0", "--at", at.ISO8601Format(), "--json"], as: client)
            #expect(soon.json["state"] as? String == "scheduled", "\(soon)")
            let begun = try #require(soon.json["id"] as? String)
            try await system.until("it to be over") {
                let rollout = try await client.send("GET", "/api/v1/rollouts/\(begun)", expecting: [200])
                return !["scheduled", "running"].contains(rollout["state"] as? String)
            }
            let rollout = try await client.send("GET", "/api/v1/rollouts/\(begun)", expecting: [200])
            #expect(rollout["state"] as? String == "succeeded", "\(rollout)")
            let since = (rollout["members"] as? [[String: Any]] ?? []).compactMap { $0["since"] as? String }
            #expect(since.allSatisfy { $0 >= (rollout["starts_at"] as? String ?? "") }, "\(rollout)")
            #expect(hosts.map(\.wanted) == ["1.1.0", "1.1.0"])
        }
    }
}
