import BlockingIO
import Domain
import Egress
import Foundation
import Logging
import TestSupport
import Testing

@testable import Worker

/// Where a job finds its way to a model, before and after its agent was replaced.
@Suite struct ModelGateTests {
    private static let endpoint = ModelEndpoint(
        provider: .openAIResponses, baseURL: "https://models.example/v1", authorizationName: "authorization",
        authorizationValue: "Bearer key")

    private static let way = ModelWay.model(endpoint, watchedBy: nil)

    private func withGate(_ body: (BrokeredModelGate, String) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let pool = BlockingPool(label: "test", width: 2)
            let broker = try EgressBroker(
                pool: pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await body(BrokeredModelGate(directory: folder + "/ways", broker: broker, pool: pool), folder + "/ways")
        }
    }

    private func job() -> JobID { JobID(at: Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)) }

    @Test("A job has a folder with a socket while it needs one, and nothing of it stays")
    func open() async throws {
        try await withGate { gate, ways in
            let names = try await gate.withWay(to: Self.way, for: job()) { folder in
                #expect(folder.hasPrefix(ways + "/"))
                return try FileManager.default.contentsOfDirectory(atPath: folder)
            }
            #expect(names == ["model.sock"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: ways).isEmpty)
        }
    }

    @Test("After an agent that left, the next one opens the same folder: a running sandbox has it bound")
    func again() async throws {
        try await withGate { gate, ways in
            let job = job()
            var first = stat()
            await #expect(throws: CancellationError.self) {
                try await gate.withWay(to: Self.way, for: job) { folder in
                    stat(folder, &first)
                    throw CancellationError()
                }
            }
            try await gate.sweep(keeping: [job])
            try await gate.withWay(to: Self.way, for: job) { folder in
                var second = stat()
                stat(folder, &second)
                #expect(second.st_ino == first.st_ino)
                #expect(FileManager.default.fileExists(atPath: folder + "/model.sock"))
            }
        }
    }

    @Test("Folders of jobs that are over are deleted")
    func sweep() async throws {
        try await withGate { gate, ways in
            let (kept, gone) = (job(), job())
            for name in [kept.text, gone.text, "stray"] {
                try FileManager.default.createDirectory(
                    atPath: "\(ways)/\(name)", withIntermediateDirectories: true)
            }
            try await gate.sweep(keeping: [kept])
            #expect(try FileManager.default.contentsOfDirectory(atPath: ways) == [kept.text])
        }
    }
}
