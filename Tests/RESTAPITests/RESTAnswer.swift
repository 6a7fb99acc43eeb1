import AsyncHTTPClient
import Domain
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import RESTAPI

/// An answer of the API that was checked against what the route table promises.
struct RESTAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
    subscript(_ name: String) -> JSONValue? { json[name] }
    func string(_ name: String) -> String? { json[name]?.text }
}

extension JSONValue {
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let number) = self { Int(number) } else { nil } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
}

extension RESTFixture {
    var base: String { "http://127.0.0.1:\(port)" }

    func open(
        _ method: String, _ path: String, token: String? = nil, headers: [(String, String)] = [],
        body: HTTPClientRequest.Body? = nil
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body
        return try await http.execute(request, timeout: .seconds(60))
    }

    /// Sends a request and checks the answer's form: of success by the route's schema, of refusal by the problem's.
    func call(
        _ method: String, _ path: String, token: String? = nil, headers: [(String, String)] = [],
        bytes: [UInt8]? = nil
    ) async throws -> RESTAnswer {
        let response = try await open(
            method, path, token: token, headers: headers, body: bytes.map { .bytes($0) })
        let body = try await response.body.collect(upTo: 64 << 20)
        let answer = RESTAnswer(
            status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
        check(answer, to: method, path)
        return answer
    }

    func call(
        _ method: String, _ path: String, token: String? = nil, headers: [(String, String)] = [], _ json: JSONValue
    ) async throws -> RESTAnswer {
        try await call(method, path, token: token, headers: headers, bytes: JSONWriter.bytes(of: json))
    }

    private func check(_ answer: RESTAnswer, to method: String, _ path: String) {
        #expect(answer.headers.first(name: "x-request-id") != nil)
        #expect(answer.headers.first(name: "x-content-type-options") == "nosniff")
        #expect(answer.headers.first(name: "content-security-policy") != nil)
        guard method != "HEAD" else {
            #expect(answer.body.isEmpty)
            return
        }
        do {
            if answer.status >= 400, path != "/readyz" {
                #expect(answer.headers.first(name: "content-type") == "application/problem+json")
                try Problem.schema.check(answer.json, strictly: true)
                #expect(answer["status"]?.integer == answer.status)
                #expect(answer.string("request_id") == answer.headers.first(name: "x-request-id"))
                return
            }
            let plain = String(path.prefix { $0 != "?" })
            let route = table.routes.first { $0.method.rawValue == method && $0.match(plain) != nil }
            guard let route, answer.status != 304 else { return }
            #expect(
                answer.status == route.status.code || route.otherStatuses.contains { $0.status.code == answer.status })
            switch route.content {
            case .none: #expect(answer.body.isEmpty)
            case .other: break
            case .json(let schema):
                #expect(answer.headers.first(name: "content-type") == "application/json")
                // Another reader of JSON must agree that it is JSON.
                _ = try JSONSerialization.jsonObject(with: Data(answer.body))
                try schema.check(try JSONParser.parse(answer.body), strictly: true)
            }
        } catch {
            Issue.record("\(method) \(path) answered \(answer.status) with \(answer.text): \(error)")
        }
    }

    /// Registers somebody and returns the access token.
    func register(_ email: String) async throws -> String {
        let answer = try await call(
            "POST", "/api/v1/auth/register",
            ["email": .string(email), "password": .string(Self.password), "name": "Ada"])
        return try #require(answer.string("access_token"), "\(answer.text)")
    }

    /// Makes a site and returns its id.
    @discardableResult
    func makeSite(_ slug: String, token: String) async throws -> String {
        let answer = try await call("POST", "/api/v1/sites", token: token, ["slug": .string(slug), "name": "A site"])
        return try #require(answer.string("id"), "\(answer.text)")
    }

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
