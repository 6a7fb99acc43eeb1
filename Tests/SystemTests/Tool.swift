import Foundation

/// A program that a test runs as a person would at a shell: with its own environment, to its end or until it is told.
final class Tool {
    struct Ended {
        let status: Int32
        let output: String
        let errors: String

        /// What it printed as one JSON object.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
        }
    }

    struct TooSlow: Error, CustomStringConvertible {
        let description: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private let process = Process()
    private let outputFile: String
    private let errorFile: String

    /// Starts one of our programs by its name, or any other by its path. Its output goes to files in `folder`.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: String) throws {
        let number = UUID().uuidString.prefix(8)
        outputFile = "\(folder)/tool-\(number).out"
        errorFile = "\(folder)/tool-\(number).err"
        process.executableURL =
            URL(filePath: program.hasPrefix("/") ? program : Self.path(of: program))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        for (path, isOutput) in [(outputFile, true), (errorFile, false)] {
            try Data().write(to: URL(filePath: path))
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            if isOutput { process.standardOutput = handle } else { process.standardError = handle }
        }
        try process.run()
    }

    var output: String { (try? String(contentsOfFile: outputFile, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

    /// Waits for its end, and kills it after `limit`.
    func wait(atMost limit: Duration = .seconds(60)) async throws -> Ended {
        let deadline = ContinuousClock.now + limit
        while process.isRunning {
            guard ContinuousClock.now < deadline else {
                stop()
                throw TooSlow(description: "\(process.arguments ?? []) did not end: \(output)\(errors)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return Ended(status: process.terminationStatus, output: output, errors: errors)
    }

    func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
    }

    /// Where one of our programs is.
    static func path(of program: String) -> String { root.appending(path: ".build/debug/\(program)").path }

    /// Starts a program and waits for its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: String
    ) async throws -> Ended {
        try await Tool(program, arguments, environment: environment, in: folder).wait()
    }
}
