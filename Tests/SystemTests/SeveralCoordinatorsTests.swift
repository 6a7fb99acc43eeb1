import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Two coordinators as programs, on one database, one store and one Redis, and an agent that knows both.
@Suite(.serialized) struct SeveralCoordinatorsTests {
    /// What they share besides the folder of the content and the keys.
    private struct Shared {
        let redis: RedisServer
        let database: String
        let sitesPort: Int
    }

    /// One of the two.
    private struct Member {
        let program: RunningProgram
        let api: APIClient
        let agentsPort: Int
    }

    @Test("What is asked of one is done by the other, and when that is killed nothing is lost")
    func takeover() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer()
            let redis = try await RedisServer(folder: folder)
            defer { redis.kill() }
            let shared = Shared(
                redis: redis, database: server.address(of: try server.makeDatabase()), sitesPort: try freePorts(1)[0])
            let sitesPort = shared.sitesPort
            let all = try await Self.startTwo(shared, in: folder)
            var agent: RunningProgram?
            defer {
                agent?.stop()
                for member in all { member.program.stop() }
            }
            let token = all[0].api.token
            let addresses = all.map { "127.0.0.1:\($0.agentsPort)" }.joined(separator: ",")
            try await Self.join(addresses, in: folder, by: all[0])
            let running = try Self.startAgent(addresses, in: folder, shared)
            agent = running

            // Everything is asked of the one that does not have the session.
            let holder = try await Self.holder(among: all, folder)
            let asked = all[1 - holder].api
            let listener = try Self.listen(to: asked, token: token ?? "", into: folder + "/events.log")
            defer { kill(listener.processIdentifier, SIGKILL) }
            try await Self.until("the host to count as connected at the other coordinator", folder) {
                let hosts = try await asked.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
                return hosts?.map { $0["connected"] as? Bool } == [true]
            }
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

    @Test("While Redis stands still for ten seconds, everything that is asked is done, and nothing is lost")
    func stalledRedis() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer()
            let redis = try await RedisServer(folder: folder)
            defer { redis.kill() }
            let shared = Shared(
                redis: redis, database: server.address(of: try server.makeDatabase()), sitesPort: try freePorts(1)[0])
            let all = try await Self.startTwo(shared, in: folder)
            var agent: RunningProgram?
            defer {
                agent?.stop()
                for member in all { member.program.stop() }
            }
            let addresses = all.map { "127.0.0.1:\($0.agentsPort)" }.joined(separator: ",")
            try await Self.join(addresses, in: folder, by: all[0])
            agent = try Self.startAgent(addresses, in: folder, shared)
            let holder = try await Self.holder(among: all, folder)
            let asked = all[1 - holder].api
            for slug in ["one", "two"] {
                try await asked.send(
                    "POST", "/api/v1/sites", ["slug": slug, "name": slug, "template": "bakery"], expecting: [201])
            }
            // Redis is stopped in the middle of whatever it does, and goes on ten seconds later whatever happens here.
            redis.pause()
            let revival = Task {
                try? await Task.sleep(for: .seconds(10))
                redis.resume()
            }
            defer { redis.resume() }
            for slug in ["one", "two", "one", "two"] {
                try await asked.send(
                    "POST", "/api/v1/sites/\(slug)/edits", ["prompt": "Change the headline to \"Still here\""],
                    expecting: [202])
            }
            try await Self.until("the edits to end without Redis", folder) {
                let states = try await Self.states(asked)
                return states.count == 4 && states.allSatisfy { ["succeeded", "failed"].contains($0) }
            }
            await revival.value
            // The second edit of each site changes nothing, and says so.
            #expect(try await Self.states(asked).filter { $0 == "succeeded" }.count == 2)
            try await Self.edit(asked, "After", of: "one")
            try await Self.until("an edit after Redis came back", folder) {
                try await Self.states(asked).filter { $0 == "succeeded" }.count == 3
            }
        }
    }

    /// Starts two coordinators on one PostgreSQL, one after the other, and registers the first user.
    private static func startTwo(_ shared: Shared, in folder: String) async throws -> [Member] {
        var members: [Member] = []
        do {
            for name in ["one", "two"] {
                members.append(try start(name, in: folder, shared))
                // One after the other: the first makes the tables and the keys.
                _ = try await members.last?.api.send("GET", "/healthz", expecting: [200])
            }
            let session = try await members[0].api.send(
                "POST", "/api/v1/auth/register",
                ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
            let token = session["access_token"] as? String
            return members.map { member in
                var api = member.api
                api.token = token
                return Member(program: member.program, api: api, agentsPort: member.agentsPort)
            }
        } catch {
            for member in members { member.program.stop() }
            throw error
        }
    }

    private static func startAgent(_ addresses: String, in folder: String, _ shared: Shared) throws -> RunningProgram {
        try RunningProgram(
            "pagewright-agent",
            [
                "run", "--state", folder + "/a", "--coordinator", addresses, "--sites-listen",
                "127.0.0.1:\(shared.sitesPort)", "--browser", "off",
            ], log: folder + "/agent.log")
    }

    /// Whoever has the agent's session.
    private static func holder(among all: [Member], _ folder: String) async throws -> Int {
        var holder = 0
        try await until("a session", folder) {
            for index in all.indices where try await sessions(at: all[index].api) == 1 {
                holder = index
                return true
            }
            return false
        }
        return holder
    }

    private static func start(_ name: String, in folder: String, _ shared: Shared) throws -> Member {
        let ports = try freePorts(2)
        let (port, agentsPort) = (ports[0], ports[1])
        let program = try RunningProgram(
            "pagewright-coordinator",
            [
                "serve", "--state", folder + "/c", "--port", "\(port)", "--agents-port", "\(agentsPort)",
                "--sites-port", "\(shared.sitesPort)", "--redis", shared.redis.address, "--database", shared.database,
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

    private static func edit(_ api: APIClient, _ headline: String, of site: String = "bakery") async throws {
        try await api.send(
            "POST", "/api/v1/sites/\(site)/edits", ["prompt": "Change the headline to \"\(headline)\""],
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
