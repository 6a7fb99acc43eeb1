import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// The shim once more, built with the sanitizers for addresses and undefined behaviour: the first finding ends it.
@Suite(.serialized) struct SanitizedShimTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Built once for all tests of this process.
    private static let program = Task { () async throws -> String in
        let folder = FileManager.default.temporaryDirectory.appending(path: "pagewright-shim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let shim = root.appending(path: "Sources/Shim").path
        let program = folder.appending(path: "pagewright-shim").path
        let log = folder.appending(path: "log").path
        let build = try await TestChild([
            "/bin/sh", "-c",
            """
            cd '\(shim)' && gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O1 \
            -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -I Generated \
            *.c Generated/pagewright/shim/v1/*.c -lprotobuf-c -o '\(program).new' > '\(log)' 2>&1 \
            && mv '\(program).new' '\(program)'
            """,
        ])
        try await Wait.until("gcc") { !build.isRunning }
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw TestFailure((try? String(contentsOfFile: log, encoding: .utf8)) ?? "gcc said nothing")
        }
        return program
    }

    private func withBench(_ body: (TaskBench) async throws -> Void) async throws {
        let tools = try SandboxTools.locate()
        let sanitized = SandboxTools(
            bubblewrap: tools.bubblewrap, bridge: tools.bridge, shim: try await Self.program.value)
        let runner = SandboxRunner(tools: sanitized, controlGroups: try SandboxRunner().controlGroups)
        try await TaskBench.with(runner: runner) { bench in
            try await body(bench)
            let findings = try String(contentsOfFile: bench.task + "/shim.log", encoding: .utf8)
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    @Test("Output, errors and an exit code")
    func plain() async throws {
        try await withBench { bench in
            let output = TaskOutput()
            let task = try await bench.start("echo one; echo two >&2; seq 1 20000; exit 3")
            #expect(try await task.waitForEnd { output.add($0, $1) }.ending == .exited(code: 3))
            #expect(output.lines.count == 20_001)
        }
    }

    @Test("A log that is full, and a tail of errors that is longer than what is kept")
    func full() async throws {
        try await withBench { bench in
            var limits = SandboxLimits(wallTime: .seconds(60))
            limits.logInBytes = 50_000
            let task = try await bench.start("seq 1 50000 >&2; seq 1 50000; exit 1", limits: limits)
            let outcome = try await task.waitForEnd { _, _ in }
            #expect(outcome.ending == .exited(code: 1))
            #expect(outcome.diagnostics.hasSuffix("50000"))
        }
    }

    @Test("Cancelling, renewing, and strangers who say anything")
    func strangers() async throws {
        try await withBench { bench in
            let task = try await bench.start("(setsid sleep 600 &); sleep 600")
            var generator = SystemRandomNumberGenerator()
            for size in [0, 1, 2, 5, 17, 100, 511, 512, 513, 4000] {
                let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                // A few bytes at random may be a request, such as one to cancel.
                if case .running = try SandboxTask.find(in: bench.task) { try? Stranger.say(bytes, to: bench.task) }
            }
            task.renew(for: .seconds(30))
            task.cancel()
            #expect(try await task.waitForEnd { _, _ in }.ending == .cancelled)
        }
    }

    @Test("Limits: time, lease, output, files, depth, and nobody there")
    func limits() async throws {
        let cases: [(String, SandboxLimits, Duration, SandboxOutcome.Ending)] = [
            ("sleep 600", SandboxLimits(wallTime: .milliseconds(300)), .seconds(60), .exceeded(.wallTime)),
            ("sleep 600", SandboxLimits(), .milliseconds(300), .cancelled),
            ("yes", SandboxLimits(outputInBytes: 1 << 20), .seconds(60), .exceeded(.output)),
            (
                "i=0; while :; do : > f$i; i=$((i+1)); done", SandboxLimits(workspaceFiles: 300), .seconds(60),
                .exceeded(.workspaceFiles)
            ),
            (
                "perl -e 'for (1..300) { mkdir \"d\"; chdir \"d\" } sleep 600'", SandboxLimits(), .seconds(60),
                .exceeded(.workspaceFiles)
            ),
        ]
        for (script, limits, lease, ending) in cases {
            try await withBench { bench in
                let task = try await bench.start(script, lease: lease, limits: limits)
                #expect(try await task.waitForEnd { _, _ in }.ending == ending, "\(script)")
            }
        }
    }

    @Test("A program that is not there, and a start message that makes no sense")
    func nonsense() async throws {
        try await withBench { bench in
            let broken = SandboxRunner(
                tools: SandboxTools(bubblewrap: "/nowhere/bwrap", shim: bench.runner.tools.shim), controlGroups: nil)
            await #expect(throws: SandboxError.self) {
                let task = try await broken.start(bench.plan("true"), in: bench.task, lease: .seconds(10))
                _ = try await task.waitForEnd { _, _ in }
            }
        }
        try await TaskBench.with { bench in
            var generator = SystemRandomNumberGenerator()
            let shim = try await Self.program.value
            for size in [1, 3, 10, 50, 300, 5000] {
                let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                do {
                    try ShimProcess.start(shim, start: bytes, folder: bench.task)
                    Issue.record("nonsense was started")
                } catch SandboxError.cannotStart(let reason) {
                    #expect(!reason.contains("Sanitizer") && !reason.contains("runtime error"), "\(reason)")
                }
            }
        }
    }
}
