import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// A sandbox that outlives the program that started it would be nobody's.
@Suite struct AgentDeathTests {
    private static let variable = "PAGEWRIGHT_TEST_SANDBOX_OWNER"

    @Test(
        "When the program that runs a sandbox is killed, everything inside dies",
        .enabled(if: ProcessInfo.processInfo.environment[variable] == nil))
    func killedOwner() async throws {
        let marker = "63\(Int.random(in: 10_000...99_999))"
        let owner = Process()
        owner.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        owner.arguments = ["--testing-library", "swift-testing", "--filter", "AgentDeathTests"]
        owner.environment = ProcessInfo.processInfo.environment.merging([Self.variable: marker]) { $1 }
        owner.standardOutput = FileHandle.nullDevice
        owner.standardError = FileHandle.nullDevice
        try owner.run()
        try await Self.wait { Self.isRunning(marker) || !owner.isRunning }
        #expect(Self.isRunning(marker), "the sandbox began")
        kill(owner.processIdentifier, SIGKILL)
        try await Self.wait { !Self.isRunning(marker) }
        #expect(!Self.isRunning(marker))
    }

    /// Runs in the process that the test above starts.
    @Test("(owner of a sandbox)", .enabled(if: ProcessInfo.processInfo.environment[variable] != nil))
    func owner() async throws {
        let marker = try #require(ProcessInfo.processInfo.environment[Self.variable])
        try await withTemporaryDirectory { folder in
            _ = try await SandboxRunner().run(
                SandboxPlan(
                    workspace: folder,
                    command: ["/bin/sh", "-c", "(setsid sleep \(marker) &); trap '' TERM HUP; sleep \(marker)"]))
        }
    }

    private static func isRunning(_ marker: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int($0) != nil }.contains {
            FileManager.default.contents(atPath: "/proc/\($0)/cmdline") == Data("sleep\0\(marker)\0".utf8)
        }
    }

    /// Processes of another program send no event that could be awaited.
    private static func wait(until isMet: () -> Bool) async throws {
        let deadline = ContinuousClock().now + .seconds(30)
        while !isMet(), ContinuousClock().now < deadline { try await Task.sleep(for: .milliseconds(20)) }
    }
}
