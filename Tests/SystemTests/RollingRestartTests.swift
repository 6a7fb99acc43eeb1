import Foundation
import Synchronization
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Coordinators are replaced one after the other while people work: two programs on one PostgreSQL, a load balancer in
/// front of them, a host that serves, and visitors.
@Suite(.serialized, .timeLimit(.minutes(15))) struct RollingRestartTests {
    private struct Counts: Sendable {
        var sent = 0
        var failures: [String] = []
        var created: Set<String> = []
        var visits = 0
        var lost = 0
    }

    /// What happened, as everybody wrote it down.
    private final class Ledger: Sendable {
        private let counts = Mutex(Counts())
        func note(_ change: @Sendable (inout Counts) -> Void) { counts.withLock { change(&$0) } }
        var now: Counts { counts.withLock { $0 } }
    }

    /// One coordinator that can be started again on its ports.
    private final class Member {
        let ports: [Int]
        private let arguments: [String]
        private let log: String
        private(set) var program: RunningProgram

        init(_ name: String, folder: String, database: String, sitesPort: Int) throws {
            ports = try freePorts(2)
            log = "\(folder)/\(name).log"
            arguments = [
                "serve", "--state", folder + "/c", "--port", "\(ports[0])", "--agents-port", "\(ports[1])",
                "--sites-port", "\(sitesPort)", "--database", database, "--shutdown-notice", "2s",
            ]
            program = try RunningProgram("pagewright-coordinator", arguments, log: log)
        }

        var api: String { "http://127.0.0.1:\(ports[0])" }
        var agents: String { "127.0.0.1:\(ports[1])" }

        func start() throws { program = try RunningProgram("pagewright-coordinator", arguments, log: log) }
    }

    @Test("Two coordinators are restarted one after the other, twice, and no request and no visitor fails")
    func rolling() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer()
            let database = server.address(of: try server.makeDatabase())
            let sitesPort = try freePorts(1)[0]
            var members: [Member] = []
            var agent: RunningProgram?
            defer {
                agent?.stop()
                for member in members { member.program.stop() }
            }
            for name in ["one", "two"] {
                let member = try Member(name, folder: folder, database: database, sitesPort: sitesPort)
                members.append(member)
                // One after the other: the first makes the tables and the keys.
                try await APIClient(base: member.api).send("GET", "/healthz", expecting: [200])
            }
            var client = APIClient(base: members[0].api)
            let session = try await client.send(
                "POST", "/api/v1/auth/register",
                ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
            let token = try #require(session["access_token"] as? String)
            client.token = token
            let addresses = members.map(\.agents).joined(separator: ",")
            let invitation = try await client.send(
                "POST", "/api/v1/hosts/invitations", ["roles": ["worker", "serving"]], expecting: [201])
            let joined = try await Tool.run(
                "pagewright-agent",
                [
                    "join", "--coordinator", addresses, "--token", try #require(invitation["token"] as? String),
                    "--state", folder + "/a",
                ], in: folder)
            try #require(joined.status == 0, "\(joined)")
            agent = try RunningProgram(
                "pagewright-agent",
                [
                    "run", "--state", folder + "/a", "--coordinator", addresses, "--sites-listen",
                    "127.0.0.1:\(sitesPort)", "--browser", "off",
                ], log: folder + "/agent.log")
            try await client.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bakery", "template": "bakery"], expecting: [201])
            try await Self.until("the site to be served") { await Self.visit(sitesPort) == 200 }

            let balancer = LoadBalancer(members.map(\.api))
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await balancer.watch() }
                try await Self.until("both to be ready") { await balancer.readyMembers.count == 2 }
                for writer in 0..<3 {
                    group.addTask { await Self.work(writer, through: balancer, token: token, ledger) }
                }
                group.addTask {
                    while !Task.isCancelled {
                        let status = await Self.visit(sitesPort)
                        guard !Task.isCancelled else { return }
                        ledger.note {
                            $0.visits += 1
                            if status != 200 { $0.lost += 1 }
                        }
                        // Below what one visitor may ask for.
                        try? await Task.sleep(for: .milliseconds(20))
                    }
                }
                for member in members + members {
                    let before = ledger.now.sent
                    member.program.process.terminate()
                    try await member.program.wait()
                    #expect(member.program.process.terminationStatus == 0)
                    // The other one has the whole work for a moment.
                    try await Self.until("requests meanwhile") { ledger.now.sent > before + 20 }
                    try member.start()
                    try await Self.until("it to be ready again") {
                        await balancer.readyMembers.contains(member.api)
                    }
                }
                group.cancelAll()
            }
            let seen = ledger.now
            let retries = await balancer.retries
            print("rolling restart: \(seen.sent) requests, \(retries) sent twice, \(seen.visits) visits")
            #expect(seen.failures.isEmpty, "\(seen.failures.prefix(5))")
            #expect(seen.lost == 0)
            #expect(seen.sent > 80 && seen.visits > 80)

            // What was promised is there, once.
            client = APIClient(base: members[1].api, token: token)
            var slugs: [String] = []
            var cursor = ""
            repeat {
                let page = try await client.send("GET", "/api/v1/sites?limit=100\(cursor)", expecting: [200])
                slugs += (page["items"] as? [[String: Any]] ?? []).compactMap { $0["slug"] as? String }
                cursor = (page["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(Set(slugs).count == slugs.count)
            #expect(seen.created.isSubset(of: Set(slugs)))
            try await client.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"After\""], expecting: [202])
            let last = client
            try await Self.until("an edit after all of it") {
                let jobs = try await last.send("GET", "/api/v1/jobs", expecting: [200])["items"] as? [[String: Any]]
                return jobs?.first?["state"] as? String == "succeeded"
            }
        }
    }

    /// What one person does: makes sites, looks at them, changes them.
    private static func work(
        _ writer: Int, through balancer: LoadBalancer, token: String, _ ledger: Ledger
    ) async {
        var number = 0
        while !Task.isCancelled {
            number += 1
            let slug = "s\(writer)-\(number)"
            let requests: [(String, String, [String: any Sendable]?, Set<Int>)] = [
                ("POST", "/api/v1/sites", ["slug": slug, "name": slug], [201]),
                ("GET", "/api/v1/sites/\(slug)", nil, [200]),
                ("PATCH", "/api/v1/sites/\(slug)", ["name": "\(slug) changed"], [200]),
                ("GET", "/api/v1/sites?limit=5", nil, [200]),
            ]
            for (method, path, body, expected) in requests {
                let answer = await balancer.send(method, path, body, token: token)
                // What was cut off by the end of the test is no failure.
                guard !Task.isCancelled else { return }
                ledger.note {
                    $0.sent += 1
                    if !expected.contains(answer.status) {
                        $0.failures.append("\(method) \(path): \(answer.status) \(answer.body.prefix(300))")
                    } else if answer.status == 201 {
                        $0.created.insert(slug)
                    }
                }
                try? await Task.sleep(for: .milliseconds(30))
            }
        }
    }

    private static func visit(_ port: Int) async -> Int {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)/")!, timeoutInterval: 10)
        request.setValue("bakery.localhost", forHTTPHeaderField: "Host")
        guard let (_, response) = try? await URLSession.shared.data(for: request) else { return 0 }
        return (response as? HTTPURLResponse)?.statusCode ?? 0
    }

    private static func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await !holds() {
            guard ContinuousClock.now < deadline else { throw TestFailure("waited too long for: \(what)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
