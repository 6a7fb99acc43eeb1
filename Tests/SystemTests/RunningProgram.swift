import Foundation
import Synchronization
import TestSupport

/// One program of ours, started for a test, whose death is noticed.
final class RunningProgram: Sendable {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let process: Process
    private let log: String

    /// Starts `.build/debug/<name>`; its output goes to the file `log`.
    init(
        _ name: String, _ arguments: [String], fault: String? = nil, environment own: [String: String] = [:],
        log: String
    ) throws {
        process = Process()
        process.executableURL = Self.root.appending(path: ".build/debug/\(name)")
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment.merging(own) { _, new in new }
        environment["PAGEWRIGHT_FAULT"] = fault
        process.environment = environment
        self.log = log
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        try handle.seekToEnd()
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Whether it killed itself at the step that it was told.
    var diedAtItsStep: Bool {
        !process.isRunning && process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    }

    /// Waits until it ended by itself; one that takes too long is killed.
    func wait() async throws {
        for _ in 0..<1200 where process.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        throw TestFailure("\(process.arguments ?? []) did not end within a minute: \(output)")
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        for _ in 0..<100 where process.isRunning { usleep(50_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        for _ in 0..<100 where process.isRunning { usleep(50_000) }
    }

    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
}
