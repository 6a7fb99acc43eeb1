import Foundation
import TestSupport
import Testing

/// What a person at the console is told when a dependency does not let the coordinator start: what is wrong, and which
/// setting to look at. `check` says the same. Real programs, real servers.
@Suite(.timeLimit(.minutes(10))) struct BadWeatherStartTests {
    /// The output of `serve` and of `check`, both of which must end by themselves with 1.
    private static func refusals(
        _ options: [String], environment: [String: String] = [:], in folder: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        // `check` looks at an installation that is there; this makes one, on SQLite and with blobs in a folder.
        let state = "\(folder)/\(UUID().uuidString.prefix(8))"
        let migrated = try await Tool.run("pagewright-coordinator", ["migrate", "--state", state], in: folder)
        #expect(migrated.status == 0, "\(migrated)", sourceLocation: sourceLocation)
        var said: [String] = []
        for command in [["serve", "--port", "0", "--agents-port", "0"], ["check"]] {
            let ended = try await Tool.run(
                "pagewright-coordinator", command + ["--state", state] + options, environment: environment, in: folder)
            #expect(ended.status == 1, "\(command): \(ended)", sourceLocation: sourceLocation)
            said.append(ended.output + ended.errors)
        }
        return said
    }

    @Test("PostgreSQL that knows us not, is away, has no such database, or is a standby")
    func postgres() async throws {
        try await withTemporaryDirectory { folder in
            let server = try PostgresServer(authentication: "local all app trust\nlocal all all scram-sha-256\n")
            try server.query("CREATE ROLE ann LOGIN PASSWORD 'right-secret'", in: "postgres")
            let standby = try PostgresServer(files: ["standby.signal": ""])
            let password = ["PAGEWRIGHT_DATABASE_PASSWORD": "wrong-secret"]
            for (address, environment, words) in [
                (server.address(of: "postgres", user: "ann"), password, "password (PAGEWRIGHT_DATABASE_PASSWORD)"),
                (server.address(of: "nowhere"), [:], "of --database"),
                ("postgres://app@/x?host=\(folder)/nobody", [:], "that --database names it"),
                (standby.address(of: "postgres"), [:], "Let --database name the primary server"),
            ] as [(String, [String: String], String)] {
                for said in try await Self.refusals(["--database", address], environment: environment, in: folder) {
                    #expect(said.contains(words), "\(said)")
                    #expect(said.contains("cannot use the database postgres://"), "\(said)")
                    #expect(!said.contains("secret"), "\(said)")
                }
            }
        }
    }

    @Test("Redis with another password is refused by name; one that is away is no reason not to start")
    func redis() async throws {
        try await RedisServer.run(arguments: ["--requirepass", "right-secret"]) { server in
            try await withTemporaryDirectory { folder in
                for environment in [["PAGEWRIGHT_REDIS_PASSWORD": "wrong-secret"], [:]] {
                    let options = ["--redis", server.address]
                    for said in try await Self.refusals(options, environment: environment, in: folder) {
                        #expect(said.contains("Redis does not let us in"), "\(said)")
                        #expect(said.contains("PAGEWRIGHT_REDIS_PASSWORD"), "\(said)")
                        #expect(!said.contains("secret"), "\(said)")
                    }
                }
                server.kill()
                let system = try TestSystem(folder: folder)
                defer { system.stop() }
                try system.startCoordinator(options: ["--redis", server.address])
                let ready = try await APIClient(base: system.api).send("GET", "/readyz", expecting: [200])
                let checks = ready["checks"] as? [[String: Any]] ?? []
                let redis = checks.first { $0["name"] as? String == "redis" }
                #expect((redis?["detail"] as? String)?.contains("out of reach") == true, "\(ready)")
                let checked = try await Tool.run(
                    "pagewright-coordinator", ["check", "--state", folder + "/c", "--redis", server.address],
                    in: folder)
                #expect(checked.status == 1)
                #expect(checked.output.contains("that --redis names it"), "\(checked)")
            }
        }
    }

    @Test("S3 that knows another key or secret, has no such bucket, is elsewhere, is away, or has another time")
    func s3() async throws {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        let good = server.address(ofBucket: bucket)
        let keys = ["PAGEWRIGHT_S3_ACCESS_KEY": S3Server.accessKey, "PAGEWRIGHT_S3_SECRET_KEY": S3Server.secretKey]
        func with(_ name: String, _ value: String) -> [String: String] { keys.merging([name: value]) { $1 } }
        try await withTemporaryDirectory { folder in
            let clock = try await Self.movedClock(by: 3600, in: folder)
            try await Self.withStoreElsewhere(in: folder) { elsewhere in
                for (address, environment, words, setting) in [
                    (good, with("PAGEWRIGHT_S3_SECRET_KEY", "x"), "the secret key does not fit", "--s3-credentials"),
                    (good, with("PAGEWRIGHT_S3_ACCESS_KEY", "X"), "does not know", "--s3-credentials"),
                    (server.address(ofBucket: "no-such-bucket"), keys, "there is no bucket", "--blobs"),
                    (elsewhere, keys, "not in the region us-east-1 but in eu-west-3", "Set region=eu-west-3"),
                    ("s3://\(bucket)/p?endpoint=http://127.0.0.1:1", keys, "cannot be reached", "--blobs"),
                    (good, keys.merging(clock) { $1 }, "s ahead of that of the store", "Set the clock"),
                    (good, [:], "there are no keys for the blobs", "PAGEWRIGHT_S3_ACCESS_KEY"),
                ] as [(String, [String: String], String, String)] {
                    for said in try await Self.refusals(["--blobs", address], environment: environment, in: folder) {
                        #expect(said.contains(words), "\(said)")
                        #expect(said.contains(setting), "\(said)")
                        #expect(!said.contains(S3Server.secretKey), "\(said)")
                    }
                }
            }
        }
    }

    @Test(
        "A configuration that makes no sense ends the start with a code of its own, and can be examined before",
        arguments: [
            ("port: none\n", "line 2"), ("prot: 8085\n", "there is no setting prot"),
            ("database: nonsense\n", "no address of a database"),
            ("database: postgres://a@b/c\ndatabase-password-file: /nowhere/at/all\n", "/nowhere/at/all"),
        ])
    func configuration(text: String, words: String) async throws {
        try await withTemporaryDirectory { folder in
            let file = folder + "/c.yaml"
            let good = "state: \(folder)/c\n"
            try (good + text).write(toFile: file, atomically: true, encoding: .utf8)
            for command in [["serve", "--config", file], ["settings", "--check", file]] {
                let ended = try await Tool.run("pagewright-coordinator", command, in: folder)
                #expect(ended.status == 78, "\(ended)")
                #expect(ended.errors.contains(words), "\(ended)")
            }
            try good.write(toFile: file, atomically: true, encoding: .utf8)
            let examined = try await Tool.run("pagewright-coordinator", ["settings", "--check", file], in: folder)
            #expect(examined.status == 0, "\(examined)")
        }
    }

    @Test("A full disk")
    func fullDisk() async throws {
        try await withTemporaryDirectory { folder in
            let disk = folder + "/disk"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
            let mounted = mount("tmpfs", disk, "tmpfs", 0, "size=300k,mode=755")
            try #require(mounted == 0, "this test needs the right to mount: \(String(cString: strerror(errno)))")
            defer { umount2(disk, 2) }
            let ended = try await Tool.run(
                "pagewright-coordinator", ["serve", "--state", disk + "/c", "--port", "0", "--agents-port", "0"],
                in: folder)
            #expect(ended.status == 1)
            #expect(ended.errors.contains("disk"), "\(ended)")
            #expect(ended.errors.contains("full"), "\(ended)")
        }
    }

    /// The environment of a program whose time of day is another one.
    static func movedClock(by seconds: Int, in folder: String) async throws -> [String: String] {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "scripts/lib/clock_offset.c").path
        let library = folder + "/clock_offset.so"
        let compiled = try await Tool.run(
            "/usr/bin/gcc", ["-shared", "-fPIC", "-O2", "-o", library, source], in: folder)
        try #require(compiled.status == 0, "\(compiled)")
        let file = folder + "/clock_offset"
        try Data("\(seconds)\n".utf8).write(to: URL(filePath: file))
        return ["LD_PRELOAD": library, "CLOCK_OFFSET_FILE": file]
    }

    /// A store that says what Amazon's says of a bucket in another region. (SeaweedFS knows no regions.)
    private static func withStoreElsewhere(in folder: String, _ body: (_ address: String) async throws -> Void)
        async throws
    {
        let script = """
            import http.server, sys
            TEXT = (b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region>"
                    b"<Message>the region 'us-east-1' is wrong; expecting 'eu-west-3'</Message></Error>")
            class Elsewhere(http.server.BaseHTTPRequestHandler):
                def answer(self):
                    self.send_response(400)
                    self.send_header("Content-Type", "application/xml")
                    self.send_header("Content-Length", str(len(TEXT)))
                    self.end_headers()
                    if self.command != "HEAD": self.wfile.write(TEXT)
                do_GET = do_HEAD = do_PUT = answer
                def log_message(self, *words): pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        let store = try Tool("/usr/bin/python3", ["-c", script], in: folder)
        defer { store.stop() }
        let deadline = ContinuousClock.now + .seconds(60)
        while !store.output.hasSuffix("\n") {
            try #require(ContinuousClock.now < deadline, "\(store.errors)")
            try await Task.sleep(for: .milliseconds(20))
        }
        try await body("s3://bakery/p?endpoint=http://127.0.0.1:\(store.output.prefix { $0 != "\n" })")
    }
}
