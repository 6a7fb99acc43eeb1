import BlockingIO
import Database
import DatabaseSQLite
import Domain
import Foundation
import HTTPTypes
import HummingbirdCore
import NIOCore
import TestSupport
import Testing

@testable import RESTAPI

@Suite struct ProblemAPITests {
    @Test("An address that is not there is a problem document, as is a method that is not possible")
    func routing() async throws {
        try await RESTFixture.with { api, _ in
            let missing = try await api.call("GET", "/api/v1/nothing")
            #expect(missing.status == 404)
            #expect(missing.string("type") == "urn:pagewright:problem:not-found")
            #expect(missing.string("rule") == "route")
            let method = try await api.call("DELETE", "/api/v1/sites")
            #expect(method.status == 405)
            #expect(method.string("type") == "urn:pagewright:problem:method-not-allowed")
            #expect(method.headers.first(name: "allow") == "GET, HEAD, POST")
            let options = try await api.call("OPTIONS", "/api/v1/sites/x/versions/1/files/a/b.html")
            #expect(options.headers.first(name: "allow") == "GET, HEAD")
        }
    }

    @Test(
        "A body that is not JSON is refused with the place of the fault",
        arguments: [
            ("{\"email\":\"a\",\n \"password\" 1}", "line 2, column 13: expected \":\""),
            ("{\"email\":\"a\"", "line 1, column 13: expected \",\" or \"}\""),
            ("{\"email\":\"a\",\"email\":\"b\"}", "line 1, column 14: the name is there twice"),
            ("{\"email\":\"\\ud800\"}", "line 1, column 17: an escape is half a character"),
            ("[1,]", "line 1, column 4: expected a value"), ("nope", "line 1, column 1: expected a value"),
            ("{} x", "line 1, column 4: expected the end of the text"),
            (String(repeating: "[", count: 100), "line 1, column 33: values are nested too deeply"),
        ])
    func syntax(body: String, place: String) async throws {
        try await RESTFixture.with { api, _ in
            let answer = try await api.call("POST", "/api/v1/auth/login", bytes: Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.string("rule") == "json-syntax")
            #expect(answer.string("detail")?.contains(place) == true, "\(answer.text)")
        }
    }

    @Test(
        "A body of the wrong form is refused with its field and rule",
        arguments: [
            ("{\"email\":\"a@example.org\"}", "password", "required"),
            ("{\"email\":1,\"password\":\"x\"}", "email", "type"),
            ("{\"email\":null,\"password\":\"x\"}", "email", "type"),
            ("{\"email\":\"a@example.org\",\"password\":\"x\",\"pasword\":\"y\"}", "pasword", "unknown-field"),
            ("{\"email\":\"nobody\",\"password\":\"x\"}", "email", "email-format"),
            ("[]", "", "type"),
        ])
    func fields(body: String, field: String, rule: String) async throws {
        try await RESTFixture.with { api, _ in
            let answer = try await api.call("POST", "/api/v1/auth/login", bytes: Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.string("field") ?? "" == field)
            #expect(answer.string("rule") == rule)
        }
    }

    @Test("A body that is too large is refused, whether it says so or not")
    func tooLarge() async throws {
        try await RESTFixture.with { api, _ in
            let bytes = [UInt8](repeating: 0x20, count: (64 << 10) + 1)
            let said = try await api.call("POST", "/api/v1/auth/login", bytes: bytes)
            #expect(said.status == 413)
            let response = try await api.open(
                "POST", "/api/v1/auth/login", body: .bytes(bytes, length: .unknown))
            #expect(response.status == .payloadTooLarge)
        }
    }

    @Test("Wrong parameters are refused: unknown, of another type, twice, out of range")
    func query() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            for (query, rule) in [
                ("limt=1", "unknown-parameter"), ("limit=many", "parameter-type"),
                ("limit=1&limit=2", "parameter-once"),
                ("limit=0", "page-limit"), ("limit=201", "page-limit"),
            ] {
                let answer = try await api.call("GET", "/api/v1/sites?" + query, token: token)
                #expect(answer.status == 400)
                #expect(answer.string("rule") == rule, "\(query): \(answer.text)")
            }
        }
    }

    @Test("A query that is not encoded properly is refused", arguments: ["%zz", "%f", "%ff"])
    func encoding(value: String) {
        let error = #expect(throws: ServiceError.self) {
            try QueryParameters(URI("/api/v1/sites?cursor=" + value), allowed: .paging)
        }
        #expect(error?.rule == "query-encoding")
    }

    @Test("The caller's request id is kept when it is a plain one")
    func requestID() async throws {
        try await RESTFixture.with { api, _ in
            let kept = try await api.call("GET", "/nothing", headers: [("X-Request-ID", "my-id.1")])
            #expect(kept.string("request_id") == "my-id.1")
            let replaced = try await api.call("GET", "/nothing", headers: [("X-Request-ID", "not plain \"")])
            #expect(replaced.string("request_id")?.hasPrefix("req_") == true)
            #expect(api.log.text.contains("my-id.1"))
        }
    }

    @Test("Every code of a refusal has its status", arguments: ServiceError.Code.allCases)
    func statuses(code: ServiceError.Code) {
        let expected: [ServiceError.Code: Int] = [
            .invalidArgument: 400, .unauthenticated: 401, .permissionDenied: 403, .notFound: 404, .alreadyExists: 409,
            .conflict: 409, .failedPrecondition: 409, .validationFailed: 422, .payloadTooLarge: 413,
            .quotaExceeded: 403, .rateLimited: 429, .storageFull: 507, .unavailable: 503, .internalError: 500,
        ]
        let problem = Problem(ServiceError(code, "it is so"))
        #expect(problem.status.code == expected[code])
        #expect(problem.response(requestID: "r").status.code == expected[code])
        #expect(!problem.title.isEmpty)
    }

    @Test("An internal error says nothing of itself, and stands in the log with the request's id")
    func internalError() {
        struct Secret: Error {}
        for error in [
            ServiceError(.internalError, "cannot read /var/lib/secret", field: "x", rule: "y", nextStep: "z"),
            ServiceError(.internalError, "cannot read /var/lib/secret", cause: Secret()),
        ] {
            let problem = Problem(error)
            #expect(!problem.detail.contains("secret"))
            #expect(problem.field == nil && problem.rule == nil)
            #expect(problem.nextStep?.contains("request_id") == true)
        }
    }

    @Test("A fault of ours is a 500 that leaks nothing, and the log has its cause under the request's id")
    func brokenDatabase() async throws {
        try await RESTFixture.with { api, _ in
            let token = try await api.register("a@example.org")
            try await api.makeSite("bakery", token: token)
            try await SQLiteDatabase(path: api.folder + "/pagewright.sqlite").withTransaction {
                _ = try await $0.execute("DROP TABLE site_domain")
            }
            let answer = try await api.call("GET", "/api/v1/sites/bakery", token: token)
            #expect(answer.status == 500)
            #expect(!answer.text.contains("table"))
            let id = try #require(answer.string("request_id"))
            let line = api.log.text.split(separator: "\n").first { $0.contains("Could not answer") }
            #expect(line?.contains("no such table: site_domain") == true)
            #expect(line?.contains(id) == true)
        }
    }

    @Test("An upload to a full disk is refused as that, and the half file is gone")
    func diskFull() async throws {
        try await withTemporaryDirectory { folder in
            let store = UploadStore(folder: folder, limitInBytes: 1 << 20) { _ in
                try OpenFile("/dev/full", flags: O_WRONLY)
            }
            let error = await #expect(throws: ServiceError.self) {
                try await store.withUpload(of: RequestBody(buffer: ByteBuffer(string: "content")), length: nil) { _ in }
            }
            #expect(error?.code == .storageFull)
            #expect(error.map(Problem.init)?.status.code == 507)
        }
    }

    @Test("What a coordinator that died left of uploads is deleted, and nothing else")
    func leftovers() async throws {
        try await withTemporaryDirectory { folder in
            for name in ["0011.upload", "other"] {
                try Data("x".utf8).write(to: URL(filePath: folder + "/" + name))
            }
            try await UploadStore(folder: folder, limitInBytes: 1).removeLeftovers()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["other"])
        }
    }

    @Test("Behind a proxy the caller is who the proxy says; without one, nobody can choose an address")
    func forwarded() async throws {
        let header = [("X-Forwarded-For", "203.0.113.9, 198.51.100.7")]
        try await RESTFixture.with({ $0.trustsForwardedFor = true }) { api, _ in
            _ = try await api.call("GET", "/nothing", headers: header)
            #expect(api.log.text.contains("198.51.100.7"))
        }
        try await RESTFixture.with { api, _ in
            _ = try await api.call("GET", "/nothing", headers: header)
            #expect(!api.log.text.contains("198.51.100.7"))
        }
    }

    @Test("What the domain says becomes a sentence")
    func sentence() {
        let problem = Problem(ServiceError(.conflict, "the slug \"shop\" is taken", retryAfter: .milliseconds(10)))
        #expect(problem.detail == "The slug \"shop\" is taken.")
        let retry = problem.response(requestID: "r").headers.first { $0.name.rawName == "Retry-After" }
        #expect(retry?.value == "1")
    }
}
