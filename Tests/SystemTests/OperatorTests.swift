import Foundation
import TestSupport
import Testing

/// What operators do at the command line, with the real programs.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OperatorTests {
    /// A system whose first user is `client`, for the scope of `body`.
    private func withSystem(_ body: (TestSystem, APIClient) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try await body(system, try await system.begin())
        }
    }

    @Test("A drained host gets no job until it is resumed; a revoked one is cut off, knows it, and goes on serving")
    func hosts() async throws {
        try await withSystem { system, client in
            try await system.makeSite("bakery", by: client)
            let listed = try await system.pagewright(["hosts", "--json"], as: client)
            let host = try #require((listed.json["items"] as? [[String: Any]])?.first?["id"] as? String)

            let drained = try await system.pagewright(["host", "drain", host, "--json"], as: client)
            #expect(drained.status == 0, "\(drained)")
            #expect(drained.json["state"] as? String == "draining")
            let edit = try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Fresh at dawn\""],
                expecting: [202])
            let job = try #require((edit["job"] as? [String: Any])?["id"] as? String)
            let resumed = try await system.pagewright(["host", "resume", host], as: client)
            #expect(resumed.status == 0 && resumed.output.contains("gets work again"), "\(resumed)")
            try await system.until("the edit to be done") {
                try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])["state"] as? String == "succeeded"
            }
            // While the host was drained nothing was given to it: the start comes after the resumption.
            let events = try await system.pagewright(["events", "--after", "0", "--json"], as: client).output
                .split(separator: "\n").map(String.init)
            let draining = try #require(events.firstIndex { $0.contains("draining") })
            let resumption = try #require(
                events[draining...].firstIndex { $0.contains("host.changed") && $0.contains("active") })
            let start = try #require(events.firstIndex { $0.contains("job.started") })
            #expect(resumption < start)

            let revoked = try await system.pagewright(["host", "revoke", host, "--yes"], as: client)
            #expect(revoked.status == 0 && revoked.output.contains("is revoked"), "\(revoked)")
            try await system.until("the host to be cut off and to say so") {
                try await system.agentStatus().status == 2
            }
            let view = try await client.send("GET", "/api/v1/hosts/\(host)", expecting: [200])
            #expect(view["state"] as? String == "revoked")
            #expect(view["connected"] as? Bool == false)
            let again = try await system.pagewright(["host", "resume", host], as: client)
            #expect(again.status != 0 && again.errors.contains("host invite"), "\(again)")
            #expect(await system.visit("bakery.localhost")?.status == 200)
        }
    }

    @Test("A site is deleted when its name is confirmed, and is gone from the host then")
    func deleteSite() async throws {
        try await withSystem { system, client in
            try await system.makeSite("bakery", by: client)
            let unsure = try await system.pagewright(["sites", "delete", "bakery"], as: client)
            #expect(unsure.status != 0 && unsure.errors.contains("--yes"), "\(unsure)")
            #expect(await system.visit("bakery.localhost")?.status == 200)
            let deleted = try await system.pagewright(["sites", "delete", "bakery", "--yes"], as: client)
            #expect(deleted.status == 0 && deleted.output.contains("Deleted bakery."), "\(deleted)")
            try await system.until("the host to have let it go") {
                await system.visit("bakery.localhost")?.status == 421
            }
            let gone = try await system.pagewright(["sites", "info", "bakery", "--json"], as: client)
            #expect(gone.status != 0)
        }
    }

    @Test("events -f goes on over the death of the coordinator, and misses nothing")
    func events() async throws {
        try await withSystem { system, client in
            let follower = try Tool(
                "pagewright", ["events", "-f", "--after", "0", "--json"], environment: system.environment(of: client),
                in: system.folder)
            defer { follower.stop() }
            try await system.makeSite("before", by: client)
            try await system.until("the events before") { follower.output.contains(#""slug":"before""#) }
            let coordinator = try #require(system.coordinator)
            kill(coordinator.process.processIdentifier, SIGKILL)
            try await coordinator.wait()
            try system.startCoordinator()
            try await system.makeSite("behind", by: client)
            try await system.until("the events behind") { follower.output.contains(#""slug":"behind""#) }

            func ids(_ lines: String) -> [Int] {
                lines.split(separator: "\n").compactMap { line in
                    (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["id"] as? Int
                }
            }
            let all = ids(try await system.pagewright(["events", "--after", "0", "--json"], as: client).output)
            let last = try #require(all.last)
            try await system.until("the last of them") { ids(follower.output).contains(last) }
            #expect(ids(follower.output).prefix(all.count) == all[...])
        }
    }

    @Test("The status of a host tells of its nginx, which sites do not reload and whose workers have no privileges")
    func nginx() async throws {
        try await withSystem { system, client in
            try await system.makeSite("one", by: client)
            let status = try await system.agentStatus()
            #expect(status.status == 0, "\(status)")
            let before = try #require(status.json["nginx"] as? [String: Any])
            let master = try #require(before["process"] as? Int)
            #expect(before["reloads"] as? Int == 0)
            #expect(before["is_answering"] as? Bool == true)
            try await system.makeSite("two", by: client)
            let after = try #require(try await system.agentStatus().json["nginx"] as? [String: Any])
            #expect(NSDictionary(dictionary: after) == NSDictionary(dictionary: before))
            let text = try await Tool.run(
                "pagewright-agent", ["status", "--state", system.folder + "/a"], in: system.folder)
            #expect(text.output.contains("nginx        answers, process \(master), reloaded 0 times"), "\(text)")

            let workers = try Self.children(of: master)
            #expect(!workers.isEmpty)
            for worker in workers { #expect(try Self.user(of: worker) != 0) }
            let modes = try ["", "/identity", "/blobs", "/run", "/spool", "/jobs"].map {
                try FileManager.default.attributesOfItem(atPath: system.folder + "/a" + $0)[.posixPermissions] as? Int
            }
            #expect(modes == [0o711, 0o700, 0o700, 0o700, 0o700, 0o700])
        }
    }

    @Test("Behind a proxy that is trusted, the log names the address that the proxy saw")
    func proxy() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try system.startCoordinator(options: ["--trust-forwarded-for", "--log-level", "info"])
            try await system.until("an answer") {
                let answer = try await Tool.run(
                    "/usr/bin/curl",
                    ["-sS", "-m", "10", "-H", "X-Forwarded-For: 192.0.2.1, 203.0.113.9", system.api + "/openapi.json"],
                    in: folder)
                return answer.status == 0
            }
            let log = try #require(system.coordinator?.output)
            #expect(log.contains("client.address=203.0.113.9"), "\(log)")
        }
    }

    @Test("Names in a zip are UTF-8 for a coordinator that runs in the C locale")
    func locale() async throws {
        try await withTemporaryDirectory { folder in
            let coordinator = try Tool(
                "pagewright-coordinator", ["serve", "--state", folder + "/c", "--port", "0", "--agents-port", "0"],
                environment: ["LC_ALL": "C", "LANG": "C"], in: folder)
            defer { coordinator.stop() }
            let deadline = ContinuousClock.now + .seconds(60)
            while !coordinator.output.contains("\n") {
                try #require(ContinuousClock.now < deadline, "\(coordinator.errors)")
                try await Task.sleep(for: .milliseconds(20))
            }
            let ready = try JSONSerialization.jsonObject(with: Data(coordinator.output.utf8)) as? [String: Any]
            var client = APIClient(base: try #require(ready?["api"] as? String))
            let session = try await client.send(
                "POST", "/api/v1/auth/register",
                ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
            let token = try #require(session["access_token"] as? String)
            client.token = token
            try await client.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bakery", "template": "bakery"], expecting: [201])

            let script = """
                import sys, zipfile
                with zipfile.ZipFile(sys.argv[1], "w") as archive:
                    archive.writestr("index.html", "<!doctype html><html lang='de'><head><title>Menü</title></head>"
                                     "<body><h1>Menü</h1></body></html>")
                    archive.writestr("Brötchen/Käse.txt", "Käse")
                """
            let zip = folder + "/site.zip"
            let made = try await Tool.run(
                "/usr/bin/python3", ["-X", "utf8", "-c", script, zip], in: folder)
            try #require(made.status == 0, "\(made)")
            let upload = try await Tool.run(
                "/usr/bin/curl",
                [
                    "-sS", "-m", "30", "--data-binary", "@\(zip)", "-H", "Content-Type: application/zip", "-H",
                    "Authorization: Bearer \(token)", client.base + "/api/v1/sites/bakery/versions",
                ], in: folder)
            #expect(upload.json["number"] as? Int == 2, "\(upload)")
            let manifest = try await client.send("GET", "/api/v1/sites/bakery/versions/2/manifest", expecting: [200])
            let paths = (manifest["files"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
            #expect(paths?.sorted() == ["Brötchen/Käse.txt", "index.html"])
        }
    }

    private static func children(of process: Int) throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int($0) }.filter { candidate in
            guard let stat = try? String(contentsOfFile: "/proc/\(candidate)/stat", encoding: .utf8) else {
                return false
            }
            // The name in brackets may hold anything; the state and the parent follow it.
            let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && Int(fields[1]) == process
        }
    }

    private static func user(of process: Int) throws -> Int? {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Uid:") })
        return line.split(separator: "\t").dropFirst(2).first.flatMap { Int($0) }
    }
}
