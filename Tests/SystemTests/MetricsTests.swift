import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a coordinator says of itself that has every kind of backend, while it works.
@Suite(.timeLimit(.minutes(10))) struct MetricsTests {
    /// What operators of PostgreSQL, Redis and S3 are promised to see.
    private static let promised = [
        "pagewright_queue_depth", "pagewright_ready_jobs", "pagewright_queue_oldest_age_seconds",
        "pagewright_lease_renewals_total", "pagewright_leases_lost_total", "pagewright_stale_writes_refused_total",
        "pagewright_grant_duration_seconds", "pagewright_grant_wait_seconds", "pagewright_database_connections",
        "pagewright_database_waiting_callers", "pagewright_database_connection_wait_seconds",
        "pagewright_redis_connected", "pagewright_redis_command_duration_seconds",
        "pagewright_s3_request_duration_seconds", "pagewright_s3_requests_total",
    ]

    @Test("Queue, leases, stale writes, grants, pools, Redis and S3 are measured, and promtool has nothing to say")
    func everything() async throws {
        let store = try await S3Server.shared()
        let bucket = try await store.makeBucket()
        let postgres = try PostgresServer.shared()
        let name = try postgres.makeDatabase()
        try await RedisServer.run { redis in
            try await withTemporaryDirectory { folder in
                let system = try TestSystem(
                    folder: folder, database: postgres.address(of: name),
                    environment: [
                        "PAGEWRIGHT_S3_ACCESS_KEY": S3Server.accessKey, "PAGEWRIGHT_S3_SECRET_KEY": S3Server.secretKey,
                    ])
                defer { system.stop() }
                let client = try await system.begin(
                    options: ["--blobs", store.address(ofBucket: bucket), "--redis", redis.address])
                try await system.makeSite("bakery", by: client)
                try await client.send(
                    "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Measured\""],
                    expecting: [202])
                try await system.until("the edit to be previewed") {
                    let site = try? await client.once.send("GET", "/api/v1/sites/bakery", expecting: [200])
                    return site?["preview_version"] as? Int == 2
                }
                var text = ""
                try await system.until("the queue to be measured") {
                    let (data, _) = try await URLSession.shared.data(from: URL(string: system.api + "/metrics")!)
                    text = String(decoding: data, as: UTF8.self)
                    return text.contains("\npagewright_queue_depth{")
                }
                let lines = text.split(separator: "\n")
                for metric in Self.promised {
                    let help = lines.first { $0.hasPrefix("# HELP \(metric) ") }
                    #expect(help?.hasSuffix(".") == true, "\(metric) has no help")
                    let hasSeries = lines.contains { line in
                        ["{", " ", "_count"].contains { line.hasPrefix(metric + $0) }
                    }
                    #expect(hasSeries, "\(metric) has no series")
                }
                #expect(lines.contains { $0.hasPrefix("pagewright_grant_duration_seconds_count 1") })
                #expect(lines.contains("pagewright_redis_connected 1"))
                #expect(lines.contains(#"pagewright_stale_writes_refused_total{write="completion"} 0"#))

                let file = folder + "/metrics"
                try Data(text.utf8).write(to: URL(filePath: file))
                let said = try await Tool.run("/bin/sh", ["-c", "promtool check metrics < '\(file)'"], in: folder)
                #expect(said.status == 0 && said.output + said.errors == "", "\(said)")
            }
        }
        try postgres.dropDatabase(name)
    }
}
