import BlockingIO
import Foundation
import Testing

@testable import RESTAPI

/// When bodies are asked for, refused or left out, as curl sees it.
@Suite(.timeLimit(.minutes(5))) struct BodyAPITests {
    private struct Curl {
        let status: Int
        /// How much of the body it sent.
        let sentBytes: Int
        /// What went over the wire but bodies.
        let wire: String

        var wasToldToGoOn: Bool { wire.contains("< HTTP/1.1 100 Continue") }
    }

    /// Sends `bytes`, and waits a minute to be told to before it does so unasked.
    private func upload(
        _ bytes: Int, to path: String, of api: RESTFixture, headers: [String] = []
    ) async throws -> Curl {
        let file = api.folder + "/body-\(UUID().uuidString)"
        try Data(repeating: UInt8(ascii: "x"), count: bytes).write(to: URL(filePath: file))
        let wire = file + ".wire"
        try Data().write(to: URL(filePath: wire))
        let answer = file + ".answer"
        try Data().write(to: URL(filePath: answer))
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/curl")
        curl.arguments =
            [
                "-sSv", "-m", "50", "--expect100-timeout", "60", "-H", "Expect: 100-continue", "--data-binary",
                "@" + file,
                "-o", "/dev/null", "-w", "%{http_code} %{size_upload}",
            ] + headers.flatMap { ["-H", $0] } + [api.base + path]
        curl.standardError = try FileHandle(forWritingTo: URL(filePath: wire))
        curl.standardOutput = try FileHandle(forWritingTo: URL(filePath: answer))
        try curl.run()
        while curl.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        let numbers = try String(contentsOfFile: answer, encoding: .utf8).split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 2)
        return Curl(
            status: numbers[0], sentBytes: numbers[1], wire: try String(contentsOfFile: wire, encoding: .utf8))
    }

    @Test("A client that waits to be told is told to send its body, when nothing speaks against it")
    func goOn() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            for path in ["/api/v1/sites/bakery/versions", "/api/v1/sites/bakery/edits"] {
                let curl = try await upload(3000, to: path, of: api, headers: ["Authorization: Bearer \(token)"])
                #expect(curl.wasToldToGoOn, "\(curl.wire)")
                #expect(curl.sentBytes == 3000)
                // It was read, and it is neither an archive nor JSON.
                #expect(curl.status == 400 || curl.status == 422)
            }
        }
    }

    @Test("A client without a log-in, with too much, or for a site that is not there is refused before it sends")
    func refusedEarly() async throws {
        try await RESTFixture.with({ $0.uploadLimitInBytes = 1 << 20 }) { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let login = "Authorization: Bearer \(token)"
            let stranger = try await upload(3000, to: "/api/v1/sites/bakery/versions", of: api)
            let tooMuch = try await upload(2 << 20, to: "/api/v1/sites/bakery/versions", of: api, headers: [login])
            let nowhere = try await upload(3000, to: "/api/v1/sites/none/versions", of: api, headers: [login])
            let longPrompt = try await upload(2 << 20, to: "/api/v1/sites/bakery/edits", of: api, headers: [login])
            #expect([stranger, tooMuch, nowhere, longPrompt].map(\.status) == [401, 413, 404, 413])
            for curl in [stranger, tooMuch, nowhere, longPrompt] {
                #expect(!curl.wasToldToGoOn)
                #expect(curl.sentBytes == 0)
            }
        }
    }

    @Test("HEAD says the length that GET has, or none where only making the answer would tell")
    func head() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            for path in ["/api/v1/sites/bakery", "/api/v1/sites/bakery/versions/1/files/index.html", "/openapi.json"] {
                let get = try await api.call("GET", path, token: token)
                let head = try await api.call("HEAD", path, token: token)
                #expect(head.status == 200)
                #expect(head.headers.first(name: "content-length") == String(get.body.count), "\(path)")
            }
            for path in ["/api/v1/sites/bakery/versions/1/archive", "/api/v1/events"] {
                let head = try await api.call("HEAD", path, token: token)
                #expect(head.status == 200)
                #expect(head.headers.first(name: "content-length") == nil, "\(path)")
            }
            let archive = try await api.call("HEAD", "/api/v1/sites/bakery/versions/1/archive", token: token)
            #expect(archive.headers.first(name: "content-type") == "application/gzip")
            #expect(archive.headers.first(name: "content-disposition")?.contains("bakery-v1.tar.gz") == true)
        }
    }

    @Test("An answer to HEAD has no byte behind its headers")
    func headOnTheWire() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            let path = "/api/v1/sites/bakery/versions/1/archive"
            let bytes = try await Self.exchange(
                "HEAD \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nConnection: close\r\n\r\n",
                port: api.port)
            #expect(bytes.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(bytes.hasSuffix("\r\n\r\n"))
            #expect(bytes.components(separatedBy: "\r\n\r\n").count == 2)
        }
    }

    /// Sends bytes and returns all that comes until the other side ends the connection.
    private static func exchange(_ request: String, port: Int) async throws -> String {
        // On a thread of its own: the server under test needs those of the cooperative pool.
        try await BlockingPool(label: "test.socket", width: 1).run {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var limit = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            try #require(isConnected)
            try #require(write(socket, request, request.utf8.count) == request.utf8.count)
            var answer: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(socket, &piece, piece.count)
                try #require(count >= 0, "the connection was not ended")
                if count == 0 { return String(decoding: answer, as: UTF8.self) }
                answer += piece[..<count]
            }
        }
    }
}
