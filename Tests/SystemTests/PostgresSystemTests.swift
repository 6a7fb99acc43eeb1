import Foundation
import TestSupport
import Testing

/// The whole system on PostgreSQL: real programs, a real server.
@Suite struct PostgresSystemTests {
    private static func logIn(_ api: String) async throws -> APIClient {
        var client = APIClient(base: api)
        let session = try await client.send(
            "POST", "/api/v1/auth/register",
            ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
        client.token = session["access_token"] as? String
        return client
    }

    private static func run(_ arguments: [String], log: String) async throws -> RunningProgram {
        let program = try RunningProgram("pagewright-coordinator", arguments, log: log)
        try await program.wait()
        return program
    }

    @Test("The main job is done on PostgreSQL, and goes on after the server was killed and came back")
    func mainJob() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer()
            let address = server.address(of: try server.makeDatabase())
            let system = try TestSystem(folder: folder, database: address)
            defer { system.stop() }
            try system.startCoordinator()
            let api = try await Self.logIn(system.api)
            try await system.join()
            try system.startAgent()
            try await api.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bakery", "template": "bakery"], expecting: [201])
            try await system.until("version 1 to be served") { await system.visit("bakery.localhost")?.status == 200 }
            try await api.send(
                "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Fresh at dawn\""],
                expecting: [202])
            try await system.until("the edit to be previewed") {
                let site = try? await api.once.send("GET", "/api/v1/sites/bakery", expecting: [200])
                return site?["preview_version"] as? Int == 2
            }
            server.kill()
            try await system.until("the coordinator to say that it is not ready") {
                (try? await api.once.send("GET", "/readyz", expecting: [503])) != nil
            }
            // What is live is served all the while.
            #expect(await system.visit("bakery.localhost")?.status == 200)
            try server.start()
            try await system.until("the coordinator to be ready") {
                (try? await api.once.send("GET", "/readyz", expecting: [200])) != nil
            }
            try await system.until("version 2 to be live") {
                _ = try? await api.once.send(
                    "POST", "/api/v1/sites/bakery/promote", ["version": 2], expecting: [201, 409])
                return await system.visit("bakery.localhost")?.body.contains("Fresh at dawn") == true
            }
            let sites = try await api.send("GET", "/api/v1/sites", expecting: [200])["items"] as? [[String: Any]]
            #expect(sites?.map { $0["live_version"] as? Int } == [2])
        }
    }

    @Test("A small installation moves to PostgreSQL and back, and a target with rows is refused")
    func copy() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer()
            let address = server.address(of: try server.makeDatabase())
            let small = try TestSystem(folder: folder)
            defer { small.stop() }
            try small.startCoordinator()
            let first = try await Self.logIn(small.api)
            try await first.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bäckerei", "template": "bakery"],
                expecting: [201])
            small.stop()
            let file = "sqlite:\(folder)/c/pagewright.sqlite"
            let there = try await Self.run(["copy", "--from", file, "--to", address, "--json"], log: folder + "/1.log")
            #expect(there.process.terminationStatus == 0, "\(there.output)")
            #expect(there.output.contains("\"name\":\"site\",\"rows\":1"))

            let again = try await Self.run(["copy", "--from", file, "--to", address], log: folder + "/2.log")
            #expect(again.process.terminationStatus == 1)
            #expect(again.output.contains("the target is not empty"))

            let large = try TestSystem(folder: folder, database: address)
            defer { large.stop() }
            try large.startCoordinator()
            var second = first
            second = APIClient(base: large.api, token: first.token)
            let site = try await second.send("GET", "/api/v1/sites/bakery", expecting: [200])
            #expect(site["name"] as? String == "Bäckerei")
            large.stop()

            let back = try await Self.run(
                ["copy", "--from", address, "--to", "sqlite:\(folder)/back.sqlite"], log: folder + "/3.log")
            #expect(back.process.terminationStatus == 0, "\(back.output)")
            #expect(back.output.contains("every row was compared"))
        }
    }

    @Test("A database that cannot be used is named at the start, with what to do and without its password")
    func refusals() async throws {
        try await withTemporaryDirectory { folder in
            let secret = "postgres://ann:hunter2@127.0.0.1:1/x"
            let shown = try await Self.run(["serve", "--state", folder, "--database", secret], log: folder + "/1.log")
            // Such a configuration makes no sense, however often a service manager tries it.
            #expect(shown.process.terminationStatus == 78)
            #expect(shown.output.contains("--database has a password in it"))
            #expect(!shown.output.contains("hunter2"))
            let away = try await Self.run(
                ["serve", "--state", folder, "--database", "postgres://ann@127.0.0.1:1/x"], log: folder + "/2.log")
            #expect(away.process.terminationStatus == 1)
            #expect(away.output.contains("cannot use the database postgres://ann@127.0.0.1:1/x"))
            #expect(away.output.contains("Check that the server runs and that --database names it"))

            let server = try PostgresServer(settings: ["default_transaction_read_only": "on"])
            let replica = try await Self.run(
                ["serve", "--state", folder, "--database", server.address(of: "postgres")], log: folder + "/3.log")
            #expect(replica.process.terminationStatus == 1)
            #expect(replica.output.contains("takes no writes"))
            #expect(replica.output.contains("Let --database name the primary server"))
        }
    }

    @Test("What would be migrated is said without doing it, and a newer schema is refused")
    func migrate() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer.shared()
            let name = try server.makeDatabase()
            defer { try? server.dropDatabase(name) }
            let command = ["migrate", "--database", server.address(of: name)]
            for round in 1...2 {
                let check = try await Self.run(command + ["--check"], log: folder + "/check\(round).log")
                #expect(check.process.terminationStatus == 0, "\(check.output)")
                #expect(check.output.contains("CREATE TABLE site ("))
            }
            // Two at once: each step is done by one of them.
            let programs = try (1...2).map { number in
                try RunningProgram("pagewright-coordinator", command + ["--json"], log: folder + "/m\(number).log")
            }
            for program in programs { try await program.wait() }
            #expect(programs.allSatisfy { $0.process.terminationStatus == 0 })
            let after = try await Self.run(command + ["--check"], log: folder + "/after.log")
            #expect(after.output.contains("nothing would be done"))
            try server.query("INSERT INTO schema_migration (number, name) VALUES (999, 'contract: future')", in: name)
            let newer = try await Self.run(command, log: folder + "/newer.log")
            #expect(newer.process.terminationStatus == 1)
            #expect(newer.output.contains("Install the newer pagewright-coordinator"))
        }
    }
}
