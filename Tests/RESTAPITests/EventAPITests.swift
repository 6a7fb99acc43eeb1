import AsyncHTTPClient
import Domain
import NIOCore
import Telemetry
import Testing

@testable import RESTAPI

@Suite(.timeLimit(.minutes(2))) struct EventAPITests {
    struct Line: Equatable {
        var id = 0
        var kind = ""
        var data = ""
    }

    /// Reads events until there are `count` of them or the stream ends.
    private static func read(_ response: HTTPClientResponse, _ count: Int) async throws -> [Line] {
        var lines: [Line] = []
        var current = Line()
        var rest = ""
        for try await piece in response.body {
            rest += String(buffer: piece)
            while let end = rest.firstIndex(of: "\n") {
                let line = String(rest[..<end])
                rest = String(rest[rest.index(after: end)...])
                if line.hasPrefix("id: ") { current.id = Int(line.dropFirst(4)) ?? -1 }
                if line.hasPrefix("event: ") { current.kind = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { current.data = String(line.dropFirst(6)) }
                if line.isEmpty, current.id != 0 {
                    lines.append(current)
                    current = Line()
                    if lines.count == count { return lines }
                }
            }
        }
        return lines
    }

    @Test("Events come in order, from the start or behind one that was seen")
    func resume() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            _ = try await api.call("PATCH", "/api/v1/sites/bakery", token: token, ["name": "Other"])
            let all = try await Self.read(try await api.open("GET", "/api/v1/events?after=0", token: token), 3)
            #expect(all.map(\.id) == all.map(\.id).sorted())
            #expect(all.contains { $0.kind == "site.created" })
            #expect(try JSONParser.parse(Array(all[0].data.utf8))["site_id"] != nil)
            let resumed = try await api.open(
                "GET", "/api/v1/events", token: token, headers: [("Last-Event-ID", String(all[0].id))])
            #expect(try await Self.read(resumed, 2) == Array(all.dropFirst()))
            let bad = try await api.call("GET", "/api/v1/events", token: token, headers: [("Last-Event-ID", "x")])
            #expect(bad.status == 400)
        }
    }

    @Test("Nothing is missed while much happens, and nothing comes twice")
    func complete() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let response = try await api.open("GET", "/api/v1/events", token: token)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        _ = try await api.call(
                            "PATCH", "/api/v1/sites/bakery", token: token, ["name": .string("Name \(number)")])
                    }
                }
                let seen = try await Self.read(response, 30).map(\.id)
                #expect(seen.count == 30)
                #expect(seen == Array(seen[0]..<seen[0] + 30))
                try await group.waitForAll()
            }
        }
    }

    @Test("Others' events are not shown")
    func ownership() async throws {
        try await RESTFixture.with { api, _ in
            _ = try await api.register("admin@example.org")
            let ada = try await api.register("ada@example.org")
            let bob = try await api.register("bob@example.org")
            let response = try await api.open("GET", "/api/v1/events", token: bob)
            try await api.makeSite("adas", token: ada)
            let own = try await api.makeSite("bobs", token: bob)
            let first = try #require(try await Self.read(response, 1).first)
            #expect(first.data.contains(own))
        }
    }

    @Test("A quiet stream says that it is alive, and its end is noticed when the client goes")
    func heartbeat() async throws {
        try await RESTFixture.with({ $0.heartbeatInterval = .milliseconds(20) }) { api, _ in
            let token = try await api.register("a@example.org")
            do {
                let response = try await api.open("GET", "/api/v1/events", token: token)
                #expect(response.headers.first(name: "content-type") == "text/event-stream")
                var text = ""
                for try await piece in response.body {
                    text += String(buffer: piece)
                    if text.contains(": heartbeat\n\n") { break }
                }
                #expect(text.hasPrefix(": connected\n\n"))
            }
            // The gauge falls when the handler has ended; nothing else ends this loop but the suite's limit.
            while !api.metrics.rendered().contains("pagewright_event_streams 0\n") {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test("Asking for the head alone opens no stream")
    func head() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            for _ in 0..<30 {
                let answer = try await api.call("HEAD", "/api/v1/events", token: token)
                #expect(answer.status == 200)
            }
        }
    }

    @Test("A stream ends with the access token that opened it")
    func expiry() async throws {
        try await RESTFixture.with({ $0.heartbeatInterval = .milliseconds(20) }) { api, _ in
            let token = try await api.register("a@example.org")
            let response = try await api.open("GET", "/api/v1/events", token: token)
            api.clock.advance(by: .seconds(15 * 60))
            #expect(try await Self.read(response, 1).isEmpty)
        }
    }

    @Test("A server that stops ends its streams and then itself")
    func shutdown() async throws {
        try await RESTFixture.with { api, server in
            let token = try await api.register("a@example.org")
            let response = try await api.open("GET", "/api/v1/events", token: token)
            await server.triggerGracefulShutdown()
            #expect(try await Self.read(response, 1).isEmpty)
        }
    }

    @Test("One user cannot open streams without end")
    func limit() throws {
        let limit = EventStreamLimit(total: 3, perUser: 2)
        let ada = UserID(at: Timestamp(millisecondsSinceEpoch: 1))
        let bob = UserID(at: Timestamp(millisecondsSinceEpoch: 2))
        var places = [try limit.enter(ada), try limit.enter(ada)]
        #expect(throws: ServiceError.self) { try limit.enter(ada) }
        places.append(try limit.enter(bob))
        #expect(throws: ServiceError.self) { try limit.enter(bob) }
        places.removeFirst()
        places.append(try limit.enter(bob))
        #expect(limit.count == 3)
        places.removeAll()
        #expect(limit.count == 0)
    }
}
