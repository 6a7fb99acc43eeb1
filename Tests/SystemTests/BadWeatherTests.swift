import Foundation
import TestSupport
import Testing

/// Dependencies that fail under a coordinator that runs: `/readyz` says which and why, visitors notice nothing, the
/// program stays the same process, and what was accepted is done in the end. Real programs, real servers.
@Suite(.timeLimit(.minutes(15))) struct BadWeatherTests {
    /// One dependency that fails for a while.
    private struct Trouble {
        let check: String
        let words: String
        let begin: () async throws -> Void
        let end: () async throws -> Void
    }

    /// What `/readyz` says of one dependency.
    private static func detail(_ check: String, _ api: APIClient) async -> (isReady: Bool, words: String)? {
        var answer: [String: Any]?
        for status in [200, 503] where answer == nil {
            answer = try? await api.once.send("GET", "/readyz", expecting: [status])
        }
        let checks = answer?["checks"] as? [[String: Any]]
        guard let found = checks?.first(where: { $0["name"] as? String == check }) else { return nil }
        return (found["ready"] as? Bool ?? false, found["detail"] as? String ?? "")
    }

    private static func isReady(_ api: APIClient) async -> Bool {
        (try? await api.once.send("GET", "/readyz", expecting: [200])) != nil
    }

    private static func accept(_ number: Int, _ api: APIClient) async throws -> String {
        let edit = try await api.send(
            "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Weather \(number)\""],
            expecting: [202])
        return try #require((edit["job"] as? [String: Any])?["id"] as? String)
    }

    /// Lets each of the troubles come and go, with a job that was accepted just before.
    private static func endure(_ troubles: [Trouble], _ system: TestSystem, _ api: APIClient) async throws {
        try await system.makeSite("bakery", by: api)
        let process = try #require(system.coordinator?.process.processIdentifier)
        for (number, trouble) in troubles.enumerated() {
            let job = try await accept(number, api)
            try await trouble.begin()
            try await system.until("/readyz to say of \(trouble.check): \(trouble.words)") {
                guard let found = await detail(trouble.check, api) else { return false }
                return !found.isReady && found.words.contains(trouble.words)
            }
            #expect(await !isReady(api), "\(trouble.words)")
            #expect(await system.visit("bakery.localhost")?.status == 200)
            try await trouble.end()
            try await system.until("the coordinator to be ready after: \(trouble.words)") { await isReady(api) }
            try await system.until("the job from before: \(trouble.words)") {
                let job = try? await api.once.send("GET", "/api/v1/jobs/\(job)", expecting: [200])
                return ["succeeded", "failed", "dead", "cancelled"].contains(job?["state"] as? String ?? "")
            }
            let end = try await api.send("GET", "/api/v1/jobs/\(job)", expecting: [200])
            #expect(end["state"] as? String == "succeeded", "\(trouble.words): \(end)")
        }
        #expect(system.coordinator?.process.processIdentifier == process)
        #expect(system.coordinator?.process.isRunning == true)
    }

    @Test("PostgreSQL lets us in no more, is away, is a standby, has no room, or has an older schema")
    func postgres() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer(authentication: "local all app trust\nlocal all all scram-sha-256\n")
            try server.query("CREATE ROLE ann LOGIN PASSWORD 'first'", in: "postgres")
            let name = try server.makeDatabase(options: "OWNER ann")
            let system = try TestSystem(
                folder: folder, database: server.address(of: name, user: "ann"),
                environment: ["PAGEWRIGHT_DATABASE_PASSWORD": "first"])
            defer { system.stop() }
            let api = try await system.begin()
            func endSessions() throws {
                try server.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann'", in: "postgres")
            }
            let signal = server.folder + "/data/standby.signal"
            let schema = "schema_migration WHERE number = (SELECT MAX(number) FROM schema_migration)"
            try await Self.endure(
                [
                    Trouble(check: "database", words: "does not let us in") {
                        try server.query("ALTER ROLE ann PASSWORD 'second'", in: "postgres")
                        try endSessions()
                    } end: {
                        try server.query("ALTER ROLE ann PASSWORD 'first'", in: "postgres")
                    },
                    Trouble(check: "database", words: "does not answer") {
                        server.kill()
                    } end: {
                        try server.start()
                    },
                    Trouble(check: "database", words: "takes no writes") {
                        server.stop()
                        try Data().write(to: URL(filePath: signal))
                        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: signal)
                        try server.start()
                    } end: {
                        try server.query("SELECT pg_promote(true, 60)", in: "postgres")
                    },
                    // As the server says it when its disk is full.
                    Trouble(check: "database", words: "is full") {
                        try server.query(
                            """
                            CREATE FUNCTION full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS $$
                            BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$
                            """, in: name)
                        try server.query(
                            """
                            CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON counter
                            FOR EACH ROW EXECUTE FUNCTION full_disk()
                            """, in: name)
                        let refused = try await api.send(
                            "PATCH", "/api/v1/sites/bakery", ["name": "No room"], expecting: [507])
                        #expect(refused["title"] as? String == "The disk is full")
                    } end: {
                        try server.query("DROP FUNCTION full_disk() CASCADE", in: name)
                    },
                    Trouble(check: "schema", words: "older schema") {
                        try server.query("CREATE TABLE hidden AS SELECT * FROM \(schema)", in: name)
                        try server.query("DELETE FROM \(schema)", in: name)
                    } end: {
                        try server.query("INSERT INTO schema_migration SELECT * FROM hidden", in: name)
                    },
                ], system, api)
        }
    }

    @Test("S3 is away, knows another secret, or lost its bucket; the machine's clock goes wrong")
    func s3() async throws {
        try await S3Server.withOwn { server in
            try await withTemporaryDirectory { folder in
                let bucket = try await server.makeBucket()
                var environment = try await BadWeatherStartTests.movedClock(by: 0, in: folder)
                let clock = URL(filePath: try #require(environment["CLOCK_OFFSET_FILE"]))
                environment["PAGEWRIGHT_S3_ACCESS_KEY"] = S3Server.accessKey
                environment["PAGEWRIGHT_S3_SECRET_KEY"] = S3Server.secretKey
                let system = try TestSystem(folder: folder, environment: environment)
                defer { system.stop() }
                let api = try await system.begin(options: ["--blobs", server.address(ofBucket: bucket)])
                try await Self.endure(
                    [
                        Trouble(check: "blobs", words: "cannot be reached") {
                            server.kill()
                        } end: {
                            try await server.start()
                        },
                        Trouble(check: "blobs", words: "the secret key does not fit") {
                            server.kill()
                            try server.allow(secretKey: "another-secret")
                            try await server.start()
                        } end: {
                            server.kill()
                            try server.allow(secretKey: S3Server.secretKey)
                            try await server.start()
                        },
                        Trouble(check: "blobs", words: "the clock of this machine") {
                            try Data("3600\n".utf8).write(to: clock, options: .atomic)
                        } end: {
                            try Data("0\n".utf8).write(to: clock, options: .atomic)
                        },
                    ], system, api)
                // What was in the bucket is gone for good, so no job comes after this.
                try await server.removeBucket(bucket)
                try await system.until("the bucket to be missed") {
                    await Self.detail("blobs", api)?.words.contains("there is no bucket") == true
                }
                try await server.makeBucket(named: bucket)
                try await system.until("the bucket to be found") { await Self.isReady(api) }
            }
        }
    }

    @Test("Redis lets us in no more, or is away: that is said, and work goes on")
    func redis() async throws {
        try await RedisServer.run(arguments: ["--requirepass", "first"]) { server in
            try await withTemporaryDirectory { folder in
                let system = try TestSystem(folder: folder, environment: ["PAGEWRIGHT_REDIS_PASSWORD": "first"])
                defer { system.stop() }
                let api = try await system.begin(options: ["--redis", server.address])
                try await system.makeSite("bakery", by: api)
                func untilSaid(_ words: String) async throws {
                    try await system.until("/readyz to say of Redis: \(words)") {
                        guard let said = await Self.detail("redis", api)?.words else { return false }
                        return words.isEmpty ? said.isEmpty : said.hasPrefix(words)
                    }
                    #expect(await Self.isReady(api))
                }
                func work(_ number: Int) async throws {
                    let job = try await Self.accept(number, api)
                    try await system.until("job \(number)") {
                        let job = try? await api.once.send("GET", "/api/v1/jobs/\(job)", expecting: [200])
                        return job?["state"] as? String == "succeeded"
                    }
                }
                try server.ask("-a", "first", "CONFIG", "SET", "requirepass", "second")
                try server.ask("-a", "second", "CLIENT", "KILL", "TYPE", "normal")
                try server.ask("-a", "second", "CLIENT", "KILL", "TYPE", "pubsub")
                try await untilSaid("does not let us in, look at redis-password")
                try await work(1)
                try server.ask("-a", "second", "CONFIG", "SET", "requirepass", "first")
                try await untilSaid("")
                server.kill()
                try await untilSaid("out of reach")
                try await work(2)
            }
        }
    }
}
