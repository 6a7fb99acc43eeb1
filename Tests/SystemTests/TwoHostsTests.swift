import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One coordinator and two hosts that serve, as programs: where sites are, and releases for both or none.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TwoHostsTests {
    private func withHosts(
        _ body: (_ system: TestSystem, _ client: APIClient, _ second: RunningProgram, _ port: Int) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.join(as: ["serving"], state: folder + "/b", by: client)
            let port = try freePorts(1)[0]
            let second = try RunningProgram(
                "pagewright-agent",
                [
                    "run", "--state", folder + "/b", "--coordinator", system.agents, "--sites-listen",
                    "127.0.0.1:\(port)",
                ], log: folder + "/second.log")
            defer { second.stop() }
            try await system.until("both hosts to be there") {
                let hosts = try await client.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
                return hosts?.filter { $0["connected"] as? Bool == true }.count == 2
            }
            try await system.makeSite("bakery", by: client)
            try await system.until("the second host to serve it") { await Self.visit(port) != nil }
            try await body(system, client, second, port)
        }
    }

    /// The page that the second host shows; `nil` when it shows none.
    private static func visit(_ port: Int) async -> String? {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)/")!, timeoutInterval: 5)
        request.setValue("bakery.localhost", forHTTPHeaderField: "Host")
        guard let (data, response) = try? await URLSession.shared.data(for: request),
            (response as? HTTPURLResponse)?.statusCode == 200
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    @Test("A release for all hosts or none is on both, and on neither when one of them is away")
    func allOrNothing() async throws {
        try await withHosts { system, client, second, port in
            try await system.edit("On both", by: client)
            let both = try await Tool(
                "pagewright", ["promote", "bakery", "2", "--all-or-nothing"],
                environment: system.environment(of: client), in: system.folder
            ).wait(atMost: .seconds(180))
            #expect(both.status == 0, "\(both)")
            #expect(await Self.visit(port)?.contains("On both") == true)
            #expect(await system.visit("bakery.localhost")?.body.contains("On both") == true)

            try await system.edit("On neither", by: client)
            second.stop()
            let none = try await Tool(
                "pagewright", ["promote", "bakery", "3", "--all-or-nothing"],
                environment: system.environment(of: client), in: system.folder
            ).wait(atMost: .seconds(180))
            #expect(none.status != 0 && none.errors.contains("No answer in time"), "\(none)")
            #expect(await system.visit("bakery.localhost")?.body.contains("On both") == true)
            let site = try await client.send("GET", "/api/v1/sites/bakery", expecting: [200])
            #expect(site["live_version"] as? Int == 2)
        }
    }

    @Test("A site with one copy leaves a drained host when another one shows it, and a host without the label at once")
    func placement() async throws {
        try await withHosts { system, client, _, port in
            func hosts() async throws -> [String] {
                try await system.pagewright(["placement", "bakery", "--json"], as: client).json["hosts"] as? [String]
                    ?? []
            }
            let one = try await system.pagewright(
                ["placement", "bakery", "--copies", "1", "--leave-draining"], as: client)
            #expect(one.status == 0, "\(one)")
            try await system.until("one copy") { try await hosts().count == 1 }
            let first = try #require(try await hosts().first)
            let drained = try await system.pagewright(["host", "drain", first], as: client)
            #expect(drained.status == 0, "\(drained)")
            try await system.until("the other host to have it alone") {
                let now = try await hosts()
                return now.count == 1 && now != [first]
            }
            let here = await system.visit("bakery.localhost")?.status == 200
            let there = await Self.visit(port) != nil
            #expect(here || there)

            let resumed = try await system.pagewright(["host", "resume", first], as: client)
            #expect(resumed.status == 0, "\(resumed)")
            let labelled = try await system.pagewright(["host", "label", first, "disk=fast"], as: client)
            #expect(labelled.status == 0, "\(labelled)")
            let chosen = try await system.pagewright(
                ["placement", "bakery", "--copies", "1", "--labels", "disk=fast"], as: client)
            #expect(chosen.status == 0, "\(chosen)")
            try await system.until("the labelled host to have it alone") { try await hosts() == [first] }
        }
    }
}
