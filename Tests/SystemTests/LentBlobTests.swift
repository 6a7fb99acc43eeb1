import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Hosts that read from S3 by themselves: real programs, and an S3 server that checks signatures, over TLS.
@Suite struct LentBlobTests {
    /// How many bytes of content went through the coordinator.
    private static func sentBytes(by system: TestSystem) async throws -> Double {
        let (data, _) = try await URLSession.shared.data(from: URL(string: system.api + "/metrics")!)
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("pagewright_blob_sent_bytes_total ")
        }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? 0
    }

    private static func options(_ server: S3Server, in folder: String) async throws -> [String] {
        let keys = folder + "/keys"
        try Data(
            """
            [default]
            aws_access_key_id = \(S3Server.accessKey)
            aws_secret_access_key = \(S3Server.secretKey)

            """.utf8
        ).write(to: URL(filePath: keys))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keys)
        let bucket = try await server.makeBucket()
        return [
            "--blobs", "s3://\(bucket)/pw?endpoint=\(server.secureEndpoint)&ca=\(server.authorityFile)",
            "--s3-credentials", keys,
        ]
    }

    @Test("With s3.presigned no content passes through the coordinator on its way to a host, without it all of it does")
    func direct() async throws {
        let server = try await S3Server.shared()
        for isLent in [true, false] {
            try await withTemporaryDirectory { folder in
                let system = try TestSystem(folder: folder)
                defer { system.stop() }
                let options = try await Self.options(server, in: folder) + (isLent ? ["--s3-presigned"] : [])
                let client = try await system.begin(options: options)
                try await system.makeSite("bakery", by: client)
                try await client.send(
                    "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"From the store\""],
                    expecting: [202])
                try await system.until("the edit to be previewed") {
                    let site = try? await client.once.send("GET", "/api/v1/sites/bakery", expecting: [200])
                    return site?["preview_version"] as? Int == 2
                }
                try await client.send("POST", "/api/v1/sites/bakery/promote", ["version": 2], expecting: [201])
                try await system.until("version 2 to be live") {
                    await system.visit("bakery.localhost")?.body.contains("From the store") == true
                }
                let sent = try await Self.sentBytes(by: system)
                #expect(isLent ? sent == 0 : sent > 0)
            }
        }
    }

    @Test("Signed addresses without TLS, or of a folder, are refused at the start")
    func refusals() async throws {
        let server = try await S3Server.shared()
        try await withTemporaryDirectory { folder in
            let keys = try await Self.options(server, in: folder).suffix(2)
            let plain = server.address(ofBucket: try await server.makeBucket())
            for (blobs, words) in [(plain, "https://"), ("directory", "not in S3")] {
                let ended = try await Tool.run(
                    "pagewright-coordinator",
                    ["serve", "--state", folder + "/c", "--blobs", blobs, "--s3-presigned"] + keys, in: folder)
                #expect(ended.status == 78)
                #expect(ended.errors.contains(words), "\(ended.errors)")
            }
        }
    }
}
