import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// A browser without JavaScript: it keeps cookies, follows links and sends the forms of a page.
actor Browser {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let text: String

        /// Where a redirect leads.
        var location: String? { headers.first(name: "location") }
        /// The secret of the forms on this page.
        /// The number that the forms of this page use once.
        var once: String? { text.firstMatch(of: /name="once" value="([0-9a-f]+)"/).map { String($0.1) } }
        var token: String? { text.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/).map { String($0.1) } }
    }

    let fixture: WebFixture
    private(set) var cookies: [String: String] = [:]

    init(_ fixture: WebFixture, cookies: [String: String] = [:]) {
        self.fixture = fixture
        self.cookies = cookies
    }

    func forget(_ cookie: String) { cookies[cookie] = nil }

    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: fixture.base + path)
        request.method = HTTPMethod(rawValue: method)
        if !cookies.isEmpty {
            request.headers.add(
                name: "Cookie",
                value: cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; "))
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await fixture.http.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        for line in response.headers[canonicalForm: "set-cookie"] {
            let parts = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(parts[0])] = parts[1].isEmpty ? nil : String(parts[1])
        }
        return Answer(
            status: Int(response.status.code), headers: response.headers,
            text: String(decoding: bytes.readableBytesView, as: UTF8.self))
    }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    /// Sends a form from a page of ours, with its secret, and follows the redirect.
    @discardableResult
    func post(_ path: String, from page: String, _ fields: [String: String] = [:]) async throws -> Answer {
        let shown = try await get(page)
        let token = try #require(shown.token, "\(page) has no form")
        let answer = try await submit(path, fields.merging(["csrf": token]) { $1 })
        guard answer.status == 303, let location = answer.location else { return answer }
        return try await get(location)
    }

    /// Sends these fields and nothing else.
    func submit(
        _ path: String, _ fields: [String: String], headers: [(String, String)] = []
    ) async throws -> Answer {
        let text = fields.sorted { $0.key < $1.key }.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }
            .joined(separator: "&")
        return try await send(
            "POST", path, headers: [("Content-Type", "application/x-www-form-urlencoded")] + headers,
            body: Array(text.utf8))
    }

    /// Sends a form with a file.
    func upload(_ path: String, _ fields: [(String, String)], file: [UInt8]?) async throws -> Answer {
        var body: [UInt8] = []
        for (name, value) in fields {
            body += Array("--limit\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        if let file {
            let head =
                "--limit\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"a.tar.gz\"\r\n"
                + "Content-Type: application/gzip\r\n\r\n"
            body += Array(head.utf8) + file + Array("\r\n".utf8)
        }
        body += Array("--limit--\r\n".utf8)
        return try await send(
            "POST", path, headers: [("Content-Type", "multipart/form-data; boundary=limit")], body: body)
    }

    func register(_ email: String, name: String) async throws {
        let answer = try await post(
            "/register", from: "/register", ["email": email, "password": WebFixture.password, "name": name])
        try #require(answer.status == 200, "\(answer.text)")
    }

    func makeSite(_ slug: String, name: String? = nil) async throws {
        let answer = try await post(
            "/sites/new", from: "/sites/new", ["slug": slug, "name": name ?? slug, "template": "plain"])
        try #require(answer.status == 200, "\(answer.text)")
    }

    /// Makes version 2 of files of one's own.
    func uploadVersion(_ slug: String, headline: String) async throws -> Answer {
        let page = try await get("/sites/\(slug)/settings")
        let token = try #require(page.token)
        let answer = try await upload(
            "/sites/\(slug)/settings/upload", [("csrf", token)],
            file: try fixture.archive(["index.html": WebFixture.html(headline)]))
        guard answer.status == 303, let location = answer.location else { return answer }
        return try await get(location)
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension WebFixture {
    /// A `.tar.gz` of these files.
    func archive(_ files: [String: String]) throws -> [UInt8] {
        let source = folder + "/archive-\(UUID().uuidString)"
        for (path, content) in files {
            let url = URL(filePath: source).appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: url)
        }
        let tar = Process()
        tar.executableURL = URL(filePath: "/bin/tar")
        tar.arguments = ["-C", source, "-czf", source + ".tar.gz", "."]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        return Array(try Data(contentsOf: URL(filePath: source + ".tar.gz")))
    }
}
