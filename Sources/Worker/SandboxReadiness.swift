package import BlockingIO
package import Sandbox

/// Whether this host can run jobs at all, found out by building a sandbox and trying its walls.
package enum SandboxReadiness: Sendable {
    case ready(SandboxRunner)
    /// As sentences for an operator.
    case unusable(reason: String, nextStep: String)

    /// - Parameter directory: where the folders of jobs will be; made when it is not there.
    package static func check(directory: String, pool: BlockingPool) async -> SandboxReadiness {
        do {
            let runner = try await pool.run { try SandboxRunner() }
            let probe = Workspace(path: directory + "/self-test")
            try await pool.run {
                try Workspace.makeFolder(directory)
                try WorkspaceRemoval.remove(probe.path)
                try Workspace.makeFolder(probe.path)
            }
            let checks = try await SandboxSelfTest(runner: runner).run(workspace: probe.path)
            try await pool.run { try probe.remove() }
            let failed = checks.filter { !$0.isPassed }
            guard let first = failed.first else { return .ready(runner) }
            return .unusable(
                reason:
                    "\(failed.count) of \(checks.count) walls of the sandbox did not stand, such as: \(first.detail)",
                nextStep: "Run pagewright-agent doctor, and see docs/sandbox.md.")
        } catch SandboxError.missingProgram(let name, let nextStep) {
            return .unusable(reason: "the sandbox needs \(name), which is not installed", nextStep: nextStep)
        } catch {
            return .unusable(reason: "\(error)", nextStep: "Run pagewright-agent doctor, and see docs/sandbox.md.")
        }
    }
}
