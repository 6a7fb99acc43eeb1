import Foundation
import TestSupport
import Testing

/// `pagewright-agent` on a host, as the person who is logged in there uses it, with and without a coordinator.
@Suite(.serialized, .timeLimit(.minutes(10))) struct AgentCommandTests {
    private func withSystem(_ body: (TestSystem, APIClient) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            try await body(system, client)
        }
    }

    @Test("Everything but a new certificate works while the coordinator is away, and status says that it is")
    func alone() async throws {
        try await withSystem { system, _ in
            let well = try await system.askAgent("status")
            #expect(well.status == 0 && well.output.contains(": ok"), "\(well)")
            system.coordinator?.stop()
            try await system.untilAlone()

            let status = try await system.askAgent("status", "--json")
            #expect(status.status == 1)
            #expect(status.json["is_connected"] as? Bool == false)
            #expect((status.json["sites"] as? [Any])?.count == 1)
            let text = try await system.askAgent("status")
            #expect(text.status == 1)
            #expect(text.output.contains("unreachable since") && text.output.contains("sites keep being served"))
            #expect(text.output.contains("next: "))

            let sites = try await system.askAgent("sites")
            #expect(sites.status == 0 && sites.output.contains("bakery.localhost"), "\(sites)")
            let site = try await system.askAgent("site", "bakery.localhost", "--json")
            #expect(site.status == 0 && site.json["state"] as? String == "applied", "\(site)")
            let none = try await system.askAgent("site", "nowhere.example.org")
            #expect(none.status == 2 && none.errors.contains("error: "), "\(none)")
            #expect(try await system.askAgent("jobs").status == 0)
            let verified = try await system.askAgent("verify", "bakery.localhost")
            #expect(verified.status == 0 && verified.output.hasPrefix("ok "), "\(verified)")
            let plan = try await system.askAgent("gc", "--plan", "--json")
            #expect(plan.status == 0 && plan.json["blobs"] as? Int != nil, "\(plan)")
            #expect(try await system.askAgent("gc").status == 64)

            let drained = try await system.askAgent("drain")
            #expect(drained.status == 0 && drained.output.contains("takes no new jobs"), "\(drained)")
            #expect(try await system.askAgent("status", "--json").json["is_drained"] as? Bool == true)
            let resumed = try await system.askAgent("resume", "--json")
            #expect((resumed.json["text"] as? String)?.contains("takes jobs again") == true, "\(resumed)")
            #expect(try await system.askAgent("status", "--json").json["is_drained"] as? Bool == false)

            let rotated = try await system.askAgent("rotate-cert")
            #expect(rotated.status == 2 && rotated.errors.contains("next: "), "\(rotated)")
            let doctor = try await system.askAgent("doctor", "--json")
            #expect(doctor.status == 1 || doctor.status == 2)
            let checks = doctor.checks
            #expect(checks["coordinator"]?["level"] as? Int == 1)
            #expect((checks["coordinator"]?["next_step"] as? String)?.contains("firewall") == true)
            #expect(checks["tls"]?["level"] as? Int == 1)
            #expect(await system.visit("bakery.localhost")?.status == 200)
        }
    }

    @Test("A drain on the host outlives the agent, keeps jobs away, and a resume brings them back")
    func drain() async throws {
        try await withSystem { system, client in
            #expect(try await system.askAgent("drain").status == 0)
            system.agent?.stop()
            try system.startAgent()
            try await system.until("the agent to say that it is drained") {
                try await system.askAgent("status", "--json").json["is_drained"] as? Bool == true
            }
            try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Later\""], expecting: [202])
            try await system.until("the host to offer nothing") {
                let hosts = try await client.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
                return hosts?.first?["credit"] as? Int == 0
            }
            let jobs = try await client.send("GET", "/api/v1/jobs", expecting: [200])
            #expect((jobs["items"] as? [[String: Any]])?.first?["state"] as? String != "succeeded")
            #expect(try await system.askAgent("resume").status == 0)
            try await system.until("the edit to be done") {
                let jobs = try await client.send("GET", "/api/v1/jobs", expecting: [200])
                return (jobs["items"] as? [[String: Any]])?.first?["state"] as? String == "succeeded"
            }
        }
    }

    @Test("logs shows the last lines, and with -f goes on, also over a restart of the agent")
    func logs() async throws {
        try await withSystem { system, client in
            let few = try await system.askAgent("logs", "-n", "3")
            #expect(few.status == 0)
            #expect(few.output.split(separator: "\n").count == 3, "\(few)")
            let line = try await system.askAgent("logs", "-n", "1", "--json")
            #expect((line.json["line"] as? String)?.isEmpty == false, "\(line)")
            #expect(try await system.askAgent("logs", "-n", "501").status == 64)

            let follower = try Tool(
                "pagewright-agent", ["logs", "-f", "-n", "0", "--state", system.folder + "/a"], in: system.folder)
            defer { follower.stop() }
            try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Now\""], expecting: [202])
            let jobs = try await client.send("GET", "/api/v1/jobs", expecting: [200])["items"] as? [[String: Any]]
            let job = try #require(jobs?.first?["id"] as? String)
            try await system.until("the job in the log that is followed") { follower.output.contains(job) }
            let own = try await system.askAgent("logs", "--job", job)
            #expect(own.output.split(separator: "\n").allSatisfy { $0.contains(job) })
            #expect(!own.output.isEmpty)

            system.agent?.stop()
            let before = follower.output.count
            try system.startAgent()
            try await system.until("lines of the next agent") {
                follower.output.dropFirst(before).contains("Opened session")
            }
        }
    }

    @Test("verify finds a byte that changed on the disk, and says where")
    func verify() async throws {
        try await withSystem { system, _ in
            #expect(try await system.askAgent("verify").status == 0)
            let trees = system.folder + "/a/trees"
            let page = try #require(
                FileManager.default.enumerator(atPath: trees)?.compactMap { $0 as? String }
                    .first { $0.hasSuffix("index.html") })
            let path = trees + "/" + page
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[bytes.count / 2] ^= 1
            #expect(chmod(path, 0o644) == 0)
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.write(contentsOf: bytes)
            try file.close()
            let found = try await system.askAgent("verify", "--json")
            #expect(found.status == 1)
            let sites = found.json["sites"] as? [[String: Any]]
            let damage = sites?.first?["damage"] as? [String]
            #expect(damage?.contains { $0.contains("index.html") } == true, "\(found)")
        }
    }

    @Test("rotate-cert gets a new certificate, and the session goes on with it")
    func rotate() async throws {
        try await withSystem { system, client in
            func certificate() throws -> String {
                try String(contentsOfFile: system.folder + "/a/identity/current/certificate.pem", encoding: .utf8)
            }
            let old = try certificate()
            let rotated = try await system.askAgent("rotate-cert")
            #expect(rotated.status == 0, "\(rotated)")
            #expect(try certificate() != old)
            try await system.until("a session with the new certificate") {
                try await system.askAgent("status", "--json").json["is_connected"] as? Bool == true
            }
            try await system.makeSite("second", by: client)
        }
    }

    @Test("--watch says it again and again, also after the agent is gone; without an agent all fail and say what to do")
    func watch() async throws {
        try await withSystem { system, _ in
            let watcher = try Tool(
                "pagewright-agent", ["status", "--watch", "--json", "--state", system.folder + "/a"],
                in: system.folder)
            defer { watcher.stop() }
            try await system.until("two statuses") {
                watcher.output.split(separator: "\n").filter { $0.hasPrefix("{") }.count >= 2
            }
            system.agent?.stop()
            try await system.until("the watcher to say that it is gone") {
                watcher.errors.contains("no agent answers")
            }
            for words in [["status"], ["sites"], ["jobs"], ["logs"], ["drain"], ["verify"], ["gc", "--plan"]] {
                let failed = try await system.askAgent(words: words)
                #expect(failed.status == 2, "\(words): \(failed)")
                #expect(failed.errors.contains("next: Start it with"), "\(words): \(failed)")
            }
            let version = try await system.askAgent(words: ["version", "--json"], state: false)
            #expect(version.status == 0 && version.json["version"] as? String != nil, "\(version)")
        }
    }
}
