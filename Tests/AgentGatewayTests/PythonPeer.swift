import Domain
import FleetIdentity
import Foundation
import TestSupport

/// A Python program that speaks the agents' protocol with a fixture, and prints one line of JSON for what it saw.
struct PythonPeer: Sendable {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The protocol as it is.
    static let protos = root.appending(path: "Protos").path

    private let child: TestChild
    private let output: String

    /// Starts `script` of the fixtures with the protocol in the folder `protos`. It dies with the test.
    init(
        _ script: URL, protos: String = PythonPeer.protos, for fixture: CoordinatorFixture, token: String
    ) async throws {
        let python = Self.root.appending(path: ".venv-test/bin/python3").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw ServiceError(
                .failedPrecondition, "there is no \(python)", nextStep: "Run scripts/install-test-tools.")
        }
        let rootPEM = fixture.folder + "/root.pem"
        let base64 = Data(fixture.authority.root).base64EncodedString(options: .lineLength64Characters)
        try Data("-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n".utf8)
            .write(to: URL(filePath: rootPEM))
        output = fixture.folder + "/peer.out"
        child = try await TestChild([
            "/bin/sh", "-c", "exec \"$@\" >\"$0\" 2>\"$0.err\"", output, python, script.path, protos,
            String(fixture.port), token, rootPEM,
        ])
    }

    /// What it printed so far, by the word `step`.
    var steps: [String: [String: Any]] {
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        var steps: [String: [String: Any]] = [:]
        for line in text.split(separator: "\n") {
            guard let said = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let step = said["step"] as? String
            else { continue }
            steps[step] = steps[step] ?? said
        }
        return steps
    }

    /// Waits until it said so.
    func step(_ name: String) async throws -> [String: Any] {
        for _ in 0..<1200 {
            if let found = steps[name] { return found }
            guard child.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        if let found = steps[name] { return found }
        throw TestFailure("the peer never said \(name): \(steps) \(errors)")
    }

    private var errors: String { (try? String(contentsOfFile: output + ".err", encoding: .utf8)) ?? "" }
}
