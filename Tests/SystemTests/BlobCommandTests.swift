import Foundation
import TestSupport
import Testing

/// The coordinator's program with its blobs in S3, as an operator uses it.
@Suite("Blobs in S3", .serialized, .timeLimit(.minutes(5)))
struct BlobCommandTests {
    @Test("Are copied there, checked, served from there, verified, and cleaned up")
    func wholeLife() async throws {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        try await withTemporaryDirectory { folder in
            let keys = "\(folder)/keys"
            try Data(
                "[default]\naws_access_key_id = \(S3Server.accessKey)\naws_secret_access_key = \(S3Server.secretKey)\n"
                    .utf8
            ).write(to: URL(filePath: keys))
            try #require(chmod(keys, 0o600) == 0)
            let state = ["--state", "\(folder)/c"]
            let s3 = ["--blobs", server.address(ofBucket: bucket), "--s3-credentials", keys]

            // A site is made with blobs in the folder.
            let slug = "bakery"
            var token = ""
            try await Self.serving(state, log: "\(folder)/1.log") { api in
                token = try await Self.register(api)
                _ = try await Self.createSite(slug, template: "bakery", api, token)
            }
            #expect(try await Self.run(["blobs", "verify"] + state, folder).contains("all whole"))

            // The new store does not have it yet, and the coordinator says so instead of starting.
            let refused = try await Self.run(["check"] + state + s3, folder, status: 1)
            #expect(refused.contains("does not have the content of the newest version of \(slug)"))
            #expect(refused.contains("blobs migrate"))

            let migration =
                ["blobs", "migrate"] + state + ["--from", "directory", "--to", s3[1], "--to-credentials", keys]
            #expect(try await Self.run(migration, folder).contains("complete"))
            #expect(try await Self.run(migration, folder).contains("copied      0 blobs, 0 bytes"))
            #expect(try await Self.run(["check"] + state + s3, folder).contains("put, got and deleted one"))
            try FileManager.default.removeItem(atPath: "\(folder)/c/blobs")
            #expect(try await Self.run(["blobs", "verify"] + state + s3, folder).contains("all whole"))

            try await Self.serving(state + s3, log: "\(folder)/2.log") { api in
                #expect(try await Self.get("/readyz", api).status == 200)
                let page = "/api/v1/sites/\(slug)/versions/1/files/index.html"
                #expect(try await Self.get(page, api, token).body.contains("<html"))
                _ = try await Self.createSite("second", template: "portfolio", api, token)
                try await APIClient(base: api, token: token)
                    .send("DELETE", "/api/v1/sites/second", expecting: [200, 204])
                #expect(try await Self.get("/metrics", api).body.contains("pagewright_s3_requests_total"))
            }
            let young = try await Self.run(["blobs", "gc"] + state + s3, folder)
            #expect(young.contains("deleted             0 blobs, 0 bytes"))
            let collected = try await Self.run(["blobs", "gc", "--grace", "0", "--json"] + state + s3, folder)
            let counts = try #require(try JSONSerialization.jsonObject(with: Data(collected.utf8)) as? [String: Any])
            func number(_ name: String, _ unit: String) -> Int { (counts[name] as? [String: Any])?[unit] as? Int ?? -1 }
            #expect(number("removed", "blobs") >= 1)
            for unit in ["blobs", "bytes"] {
                #expect(number("before", unit) - number("removed", unit) == number("after", unit))
            }
            #expect(try await Self.run(["blobs", "verify"] + state + s3, folder).contains("all whole"))
            let everything = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".log") }
                .map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }.joined()
            #expect(!everything.contains(S3Server.secretKey))
        }
    }

    @Test(
        "Are refused with a sentence that names what is wrong",
        arguments: [
            ("s3://no-such-bucket", S3Server.secretKey, "there is no bucket no-such-bucket"),
            ("s3://BUCKET", "wrong-secret", "the secret key does not fit"),
            ("s3://BUCKET/p?endpoint=http://127.0.0.1:1", S3Server.secretKey, "cannot be reached"),
            ("ftp://x", "x", "is no place for blobs"),
        ])
    func refusals(address: String, secret: String, words: String) async throws {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        var address = address.replacing("BUCKET", with: bucket)
        if !address.contains("?") { address += "?endpoint=\(server.endpoint)" }
        try await withTemporaryDirectory { folder in
            let environment = [
                "PAGEWRIGHT_S3_ACCESS_KEY": S3Server.accessKey, "PAGEWRIGHT_S3_SECRET_KEY": secret,
            ]
            for command in [["check"], ["serve", "--port", "0", "--agents-port", "0"]] {
                // The folder must have a database for `check`.
                _ = try await Self.run(["migrate", "--state", "\(folder)/c"], folder)
                let output = try await Self.run(
                    command + ["--state", "\(folder)/c", "--blobs", address], folder, environment: environment,
                    // What can be seen without asking anybody is the configuration's fault.
                    status: command[0] == "serve" && address.hasPrefix("ftp:") ? 78 : 1)
                #expect(output.contains(words), "\(command)")
            }
        }
    }

    /// The output of a command that ends by itself.
    private static func run(
        _ arguments: [String], _ folder: String, environment: [String: String] = [:], status: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let log = "\(folder)/\(UUID().uuidString).log"
        let program = try RunningProgram("pagewright-coordinator", arguments, environment: environment, log: log)
        try await program.wait()
        #expect(program.process.terminationStatus == status, "\(program.output)", sourceLocation: sourceLocation)
        return program.output
    }

    private static func serving(
        _ arguments: [String], log: String, _ body: (_ api: String) async throws -> Void
    ) async throws {
        let ports = try freePorts(2)
        let program = try RunningProgram(
            "pagewright-coordinator",
            ["serve", "--port", "\(ports[0])", "--agents-port", "\(ports[1])"] + arguments, log: log)
        defer { program.stop() }
        let api = "http://127.0.0.1:\(ports[0])"
        let deadline = ContinuousClock.now + .seconds(60)
        while (try? await get("/healthz", api).status) != 200 {
            guard program.process.isRunning, ContinuousClock.now < deadline else {
                throw TestFailure("the coordinator does not answer:\n\(program.output)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        try await body(api)
    }

    private static func register(_ api: String) async throws -> String {
        let answer = try await APIClient(base: api).send(
            "POST", "/api/v1/auth/register",
            ["email": "ada@example.org", "password": "correct horse battery", "name": "Ada"], expecting: [201])
        return try #require(answer["access_token"] as? String)
    }

    private static func createSite(
        _ slug: String, template: String, _ api: String, _ token: String
    ) async throws -> [String: Any] {
        try await APIClient(base: api, token: token).send(
            "POST", "/api/v1/sites", ["slug": slug, "name": slug, "template": template], expecting: [201])
    }

    private static func get(
        _ path: String, _ api: String, _ token: String? = nil
    ) async throws -> (status: Int, body: String) {
        var request = URLRequest(url: URL(string: api + path)!, timeoutInterval: 20)
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.data(for: request)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }
}

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
