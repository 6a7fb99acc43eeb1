import Glibc

/// Runs a program as a ``SandboxPlan`` says, within its limits, and returns when nothing of it is left.
///
/// Memory and processes are limited by a control group where this agent may make one. Elsewhere each process has a
/// limited address space and the whole tree is measured several times a second.
package struct SandboxRunner: Sendable {
    package let tools: SandboxTools
    package let controlGroups: ControlGroupParent?

    package init(tools: SandboxTools, controlGroups: ControlGroupParent?) {
        self.tools = tools
        self.controlGroups = controlGroups
    }

    /// With what this host has. Throws when that is not enough for every wall: there is no way to run without a
    /// sandbox, or in one whose processes nobody can limit.
    package init() throws(SandboxError) {
        let tools = try SandboxTools.locate()
        let controlGroups = ControlGroupParent.detect()
        // The kernel counts the processes of every user but root.
        guard controlGroups != nil || getuid() != 0 else {
            throw .cannotStart(
                "as root, processes can be limited by a control group only, and none can be made here; "
                    + "run the agent as an ordinary user, or with the systemd setting Delegate=yes")
        }
        self.init(tools: tools, controlGroups: controlGroups)
    }

    /// Runs the program with `input` as its standard input and returns how it ended.
    ///
    /// Cancelling the task kills everything at once and returns the ending `cancelled`. When this process dies, the
    /// sandbox dies with it.
    ///
    /// - Parameter onOutput: called in order on the sandbox's own thread; while it takes its time, the program waits.
    package func run(
        _ plan: SandboxPlan, input: [UInt8] = [], onOutput: @escaping @Sendable (SandboxOutput) -> Void = { _ in }
    ) async throws -> SandboxOutcome {
        if plan.modelSocket != nil && tools.bridge == nil {
            throw SandboxError.missingProgram("socat", nextStep: "Install the package \"socat\".")
        }
        let cancelSignal = try CancelSignal()
        return try await withTaskCancellationHandler {
            try await DedicatedThread.run {
                let sandbox = try RunningSandbox(
                    plan, tools: tools, controlGroups: controlGroups, input: input, cancelSignal: cancelSignal,
                    onOutput: onOutput)
                return try sandbox.waitForEnd()
            }
        } onCancel: {
            cancelSignal.fire()
        }
    }
}
