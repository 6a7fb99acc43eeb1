import BlockingIO
import Coordinator
import Domain
import Foundation
import TestSupport
import Testing

/// The agents' protocol as another program sees it: Python's grpcio, with nothing of ours but the protos.
@Suite struct PythonAgentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private struct Line: Decodable, Sendable {
        let step: String
        var host: String?
        var roles: [String]?
        var refused: [String]?
        var verdict: String?
        var complete: Bool?
        var live: Int?
        var names: [String]?
        var genuine: Bool?
        var files: Int?
        var keys: [Int]?
        var epoch: Int?
        var stored: Int?
        var only_the_new: Bool?
        var generation_rises: Bool?
    }

    /// The protocol as this repository has it, and as agents of the version before know it: `Fixtures/before` is what
    /// was recorded of it, and is not touched when the protocol grows.
    enum Known: CaseIterable, Sendable {
        case present
        case before

        var protos: String {
            get throws {
                guard self == .before else { return PythonPeer.protos }
                return try #require(Bundle.module.resourceURL).appending(path: "Fixtures/before").path
            }
        }
    }

    @Test(
        "A Python program can join, open a session, move blobs and do a job, also with the protocol of before",
        arguments: Known.allCases)
    func wholeLife(known: Known) async throws {
        try await CoordinatorFixture.run { fixture in
            let site = try await fixture.services.sites.create(
                slug: "bakery", name: "Bakery", template: nil, for: fixture.admin)
            let (_, job) = try await fixture.services.edits.submit(
                prompt: "Mark the headline", engine: nil, baseVersion: nil, to: "bakery", for: fixture.admin)
            let lines = try await Self.runAgent(fixture, protos: try known.protos, token: try await fixture.invite())
            let seen = Dictionary(lines.map { ($0.step, $0) }, uniquingKeysWith: { first, _ in first })

            #expect(seen["joined"]?.roles == ["serving", "worker"])
            #expect(seen["token twice"]?.refused == ["UNAUTHENTICATED", "token-used"])
            #expect(seen["token unknown"]?.refused == ["UNAUTHENTICATED", "token-unknown"])
            #expect(seen["renew without certificate"]?.refused == ["UNAUTHENTICATED", "certificate-missing"])
            #expect(seen["session without certificate"]?.refused == ["UNAUTHENTICATED", "certificate-missing"])
            #expect(seen["welcome"]?.epoch == 1 && seen["welcome"]?.keys == [32])
            #expect(seen["desired"]?.complete == true && seen["desired"]?.live == 1)
            #expect(seen["desired"]?.names == ["bakery.localhost"])
            #expect(seen["manifest"]?.genuine == true)
            #expect(seen["blobs"]?.genuine == true)
            #expect(seen["foreign blob"]?.refused == ["PERMISSION_DENIED", "blob-access"])
            #expect(seen["foreign site"]?.refused == ["PERMISSION_DENIED", "blob-access"])
            #expect(seen["wrong digest heals"]?.generation_rises == true)
            #expect(seen["put without the lease"]?.refused == ["PERMISSION_DENIED", "blob-access"])
            #expect(seen["put of a lie"]?.refused?.last == "blob-digest")
            #expect(seen["missing"]?.only_the_new == true)
            #expect(seen["put"]?.stored == 1)
            #expect(seen["completed"]?.verdict == "applied")
            #expect(seen["completed again"]?.verdict == "duplicate")
            #expect(seen["completed late"]?.verdict == "stale")
            #expect(seen["nonsense"]?.refused?.first == "INVALID_ARGUMENT")

            let done = try await fixture.services.jobs.find(job.job.id, for: fixture.admin)
            #expect(done.job.state == .succeeded(try VersionNumber(2)))
            #expect(done.summary == "Marked the headline")
            #expect(try await fixture.services.jobs.log(job.job.id, for: fixture.admin) == "hello from python\n")
            let view = try await fixture.services.sites.find(site.site.id.text, for: fixture.admin)
            #expect(view.site.preview == (try VersionNumber(2)))
            #expect(view.site.live == .first)
        }
    }

    private static func runAgent(
        _ fixture: CoordinatorFixture, protos: String, token: String
    ) async throws -> [Line] {
        let python = root.appending(path: ".venv-test/bin/python3").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw ServiceError(
                .failedPrecondition, "there is no \(python)", nextStep: "Run scripts/install-test-tools.")
        }
        let rootPEM = fixture.folder + "/root.pem"
        let base64 = Data(fixture.authority.root).base64EncodedString(options: .lineLength64Characters)
        try Data("-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n".utf8)
            .write(to: URL(filePath: rootPEM))
        let script = try #require(
            Bundle.module.url(forResource: "agent", withExtension: "py", subdirectory: "Fixtures"))
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [
            script.path, protos, String(fixture.port), token, rootPEM,
        ]
        let output = Pipe()
        process.standardOutput = output
        let complaint = Pipe()
        process.standardError = complaint
        try process.run()
        let watchdog = Task {
            try await Task.sleep(for: .seconds(60))
            kill(process.processIdentifier, SIGKILL)
        }
        defer { watchdog.cancel() }
        // Both pipes are read to their ends on threads of their own: neither may fill up.
        let pool = BlockingPool(label: "test.python", width: 2)
        async let printed = pool.run { output.fileHandleForReading.readDataToEndOfFile() }
        async let complaints = pool.run { complaint.fileHandleForReading.readDataToEndOfFile() }
        let lines = try await String(decoding: printed, as: UTF8.self).split(separator: "\n").map { line in
            try JSONDecoder().decode(Line.self, from: Data(line.utf8))
        }
        let errors = String(decoding: try await complaints, as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(errors)")
        return lines
    }
}
