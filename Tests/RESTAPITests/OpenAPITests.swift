import Foundation
import Testing

@testable import RESTAPI

@Suite struct OpenAPITests {
    @Test("The description names every operation of the router, and the router has every operation of the description")
    func agreement() async throws {
        try await RESTFixture.with { api, _ in
            let document = try await api.call("GET", "/openapi.json")
            guard case .object(let paths) = document["paths"] else {
                Issue.record("there are no paths")
                return
            }
            var described: Set<String> = []
            for path in paths {
                guard case .object(let operations) = path.value else { continue }
                for operation in operations { described.insert("\(operation.name.uppercased()) \(path.name)") }
            }
            let routed = Set(api.table.routes.map { "\($0.method.rawValue) \($0.path)" })
            // The description does not describe itself.
            #expect(described == routed.subtracting(["GET /openapi.json"]))
            #expect(api.table.routes.count == routed.count)
            for operation in described {
                let parts = operation.split(separator: " ")
                let path = parts[1].split(separator: "/").map { $0.hasPrefix("{") ? "1" : $0 }.joined(separator: "/")
                let answer = try await api.call(String(parts[0]), "/" + path)
                // Without a log-in, and without a body: let in or refused, but never unknown.
                #expect([200, 400, 401].contains(answer.status), "\(operation) answered \(answer.text)")
            }
            let identifiers = api.table.routes.map { OpenAPIDocument.identifier(of: $0) }
            #expect(Set(identifiers).count == identifiers.count)
        }
    }

    @Test("The description is OpenAPI 3.1, says an independent validator")
    func validity() async throws {
        try await RESTFixture.with { api, _ in
            let document = try await api.call("GET", "/openapi.json")
            let file = api.folder + "/openapi.json"
            try Data(document.body).write(to: URL(filePath: file))
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let validator = root.appending(path: ".venv-test/bin/openapi-spec-validator")
            try #require(
                FileManager.default.isExecutableFile(atPath: validator.path),
                "run scripts/install-test-tools: \(validator.path) is missing")
            let process = Process()
            process.executableURL = validator
            process.arguments = ["--schema", "3.1", file]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(said)")
        }
    }
}
