import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Two coordinators as programs, on one database, one store and one Redis, and an agent that knows both.
@Suite(.serialized) struct SeveralCoordinatorsTests {
    /// One of the two.
    private struct Member {
        let program: RunningProgram
        let api: APIClient
        let agentsPort: Int
    }

    @Test("What is asked of one is done by the other, and when that is killed nothing is lost")
    func takeover() async throws {
        try await withTemporaryDirectory { folder in
            let redis = try await RedisServer(folder: folder)
            defer { redis.kill() }
            var members: [Member] = []
            var agent: RunningProgram?
            defer {
                agent?.stop()
                for member in members { member.program.stop() }
            }
            let sitesPort = try freePorts(1)[0]
            for name in ["one", "two"] {
                members.append(try Self.start(name, in: folder, redis: redis, sitesPort: sitesPort))
                // One after the other: the first makes the database and the keys.
                _ = try await members.last?.api.send("GET", "/healthz", expecting: [200])
            }
            let session = try await members[0].api.send(
                "POST", "/api/v1/auth/register",
                ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
            let token = session["access_token"] as? String
            members = members.map { member in
                var api = member.api
                api.token = token
                return Member(program: member.program, api: api, agentsPort: member.agentsPort)
            }
            let addresses = members.map { "127.0.0.1:\($0.agentsPort)" }.joined(separator: ",")
            try await Self.join(addresses, in: folder, by: members[0])
            let running = try RunningProgram(
                "pagewright-agent",
                [
                    "run", "--state", folder + "/a", "--coordinator", addresses, "--sites-listen",
                    "127.0.0.1:\(sitesPort)",
                ], log: folder + "/agent.log")
            agent = running

            // Whoever has the session is the holder; everything is asked of the other one.
            let all = members
            var holder = 0
            try await Self.until("a session", folder) {
                for index in all.indices where try await Self.sessions(at: all[index].api) == 1 {
                    holder = index
                    return true
                }
                return false
            }
            let asked = all[1 - holder].api
            let listener = try Self.listen(to: asked, token: token ?? "", into: folder + "/events.log")
            defer { kill(listener.processIdentifier, SIGKILL) }
            try await asked.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bakery", "template": "bakery"], expecting: [201])
            try await Self.until("version 1 to be served", folder) {
                await Self.visit("bakery.localhost", sitesPort)?.contains("<title>") == true
            }
            try await Self.edit(asked, "First")
            try await Self.until("the first edit to succeed", folder) {
                try await Self.states(asked) == ["succeeded"]
            }
            try await Self.until("its events to be heard at the other coordinator", folder) {
                let heard = (try? String(contentsOfFile: folder + "/events.log", encoding: .utf8)) ?? ""
                return heard.contains("event: job.finished")
            }

            try await Self.edit(asked, "Second")
            kill(all[holder].program.process.processIdentifier, SIGKILL)
            try await Self.until("the agent to come over", folder) { try await Self.sessions(at: asked) == 1 }
            try await Self.until("the second edit to succeed", folder) {
                try await Self.states(asked) == ["succeeded", "succeeded"]
            }
            try await asked.send("POST", "/api/v1/sites/bakery/promote", ["version": 3], expecting: [201])
            try await Self.until("version 3 to be live", folder) {
                await Self.visit("bakery.localhost", sitesPort)?.contains("Second") == true
            }
            #expect(running.process.isRunning)
        }
    }

    private static func start(
        _ name: String, in folder: String, redis: RedisServer, sitesPort: Int
    ) throws -> Member {
        let ports = try freePorts(2)
        let (port, agentsPort) = (ports[0], ports[1])
        let program = try RunningProgram(
            "pagewright-coordinator",
            [
                "serve", "--state", folder + "/c", "--port", "\(port)", "--agents-port", "\(agentsPort)",
                "--sites-port", "\(sitesPort)", "--redis", redis.address,
            ], log: folder + "/\(name).log")
        return Member(program: program, api: APIClient(base: "http://127.0.0.1:\(port)"), agentsPort: agentsPort)
    }

    private static func join(_ addresses: String, in folder: String, by member: Member) async throws {
        let answer = try await member.api.send(
            "POST", "/api/v1/hosts/invitations", ["roles": ["worker", "serving"]], expecting: [201])
        let token = try #require(answer["token"] as? String)
        let join = try RunningProgram(
            "pagewright-agent", ["join", "--coordinator", addresses, "--token", token, "--state", folder + "/a"],
            log: folder + "/join.log")
        try await join.wait()
        try #require(join.process.terminationStatus == 0, "\(join.output)")
    }

    private static func edit(_ api: APIClient, _ headline: String) async throws {
        try await api.send(
            "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"\(headline)\""],
            expecting: [202])
    }

    private static func states(_ api: APIClient) async throws -> [String] {
        let answer = try await api.send("GET", "/api/v1/jobs", expecting: [200])
        return (answer["items"] as? [[String: Any]] ?? []).compactMap { $0["state"] as? String }
    }

    /// How many agents have their session there; `nil` when nobody answers.
    private static func sessions(at api: APIClient) async throws -> Int? {
        let request = URLRequest(url: URL(string: api.base + "/metrics")!, timeoutInterval: 5)
        guard let (data, _) = try? await URLSession.shared.data(for: request) else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("pagewright_agent_sessions ")
        }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) }
    }

    /// Writes the events that a coordinator sends into a file.
    private static func listen(to api: APIClient, token: String, into file: String) throws -> Process {
        try Data().write(to: URL(filePath: file))
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/curl")
        curl.arguments = [
            "--silent", "--no-buffer", "--max-time", "300", "--header", "Authorization: Bearer \(token)", "--output",
            file, api.base + "/api/v1/events?after=0",
        ]
        curl.standardInput = FileHandle.nullDevice
        curl.standardOutput = FileHandle.nullDevice
        try curl.run()
        return curl
    }

    private static func visit(_ name: String, _ port: Int) async -> String? {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)/")!, timeoutInterval: 5)
        request.setValue(name, forHTTPHeaderField: "Host")
        guard let (data, response) = try? await URLSession.shared.data(for: request),
            (response as? HTTPURLResponse)?.statusCode == 200
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private static func until(_ what: String, _ folder: String, _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await !holds() {
            guard ContinuousClock.now < deadline else {
                let logs = ["one", "two", "agent"].map { name in
                    let text = (try? String(contentsOfFile: "\(folder)/\(name).log", encoding: .utf8)) ?? ""
                    return text.split(separator: "\n").suffix(15).joined(separator: "\n")
                }
                Issue.record("waited too long for: \(what)\n\(logs.joined(separator: "\n--\n"))")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
